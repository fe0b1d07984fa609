/* The survey widget. One interface:

   window.hsSurvey.show({
     endpoint,    origin of the service, such as "https://feedback.example" ("" for the page's own)
     site,        the site's public key: sent as ?site= so that the server can check the page's origin
     token,       the display token of the invitation, or null for an open survey
     survey,      the survey's code
     version,     the publication's number
     definition,  the public definition (blocks, endings, title …)
     lang,        "zh-CN" or "en"; default: the page's language
     snapshot,    the facts the logic is judged by, exactly as the invitation carried them: {ctx, tag, probe, url}
     extra,       for an open survey: what to send beside the answers, such as {channel, touchpoint, province, url}
     mount,       an element or selector for an inline card; without it the survey is a popover
     stay         true: it cannot be closed, as on a page of its own
     preview      true: nothing is sent or kept, for the studio
     onDone       called with "answered", "dismissed" or "withdrawn"
   }) -> true when it is on the screen, false when it is not (another one is, or the definition cannot be shown)

   window.hsSurvey.hide() takes the survey off the screen.

   A survey under way is kept in sessionStorage under "hs_survey": a probe that finds that key when a page starts loads
   this file, and the survey goes on where it was. Answers that could not be sent wait in localStorage "hs_sq".
   Nothing here throws into the page. Styles come by adoptedStyleSheets, which `style-src 'none'` allows. */
(function () {
  "use strict";
  var WORDS = "__WORDS__", CSS = "__CSS__";
  var OPEN = "hs_survey", QUEUE = "hs_sq", QUEUED = 20, KEEP_MS = 7 * 864e5, SEEN_MS = 1000;
  var FACES = ["M9.5 23.5c2.5-5.5 10.5-5.5 13 0M8 9l5 1.6M24 9l-5 1.6", "M10.5 22.5c2.4-3.2 8.6-3.2 11 0", "M11 21h10", "M10.5 19.5c2.4 3.2 8.6 3.2 11 0", "M9.5 18.5c2.5 6.5 10.5 6.5 13 0z"];
  var SCALES = { nps: [0, 10], csat: [1, 5], ces: [1, 7], score10: [1, 10] };
  var current = null;

  function quietly(f) {
    return function () { try { return f.apply(this, arguments); } catch (e) { if (window.hsDebug) console.warn("hsSurvey", e); } };
  }
  function stored(kind, key, value) { // storage may be forbidden, full, or hold somebody else's text
    try {
      var store = window[kind];
      if (value === undefined) return JSON.parse(store.getItem(key));
      if (value === null) store.removeItem(key); else store.setItem(key, JSON.stringify(value));
    } catch (e) { return null; }
    return value;
  }
  function random() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return "w" + Array.from(bytes, function (b) { return ("0" + b.toString(16)).slice(-2); }).join("");
  }
  function el(name, attributes, children) {
    var made = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) {
      var value = attributes[key];
      if (key === "text") made.textContent = value;
      else if (key.slice(0, 2) === "on") made.addEventListener(key.slice(2), quietly(value));
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
    });
    (children || []).forEach(function (child) { if (child) made.append(child); });
    return made;
  }

  function face(level) { // drawn, because not every system has the emoji
    function svg(name, attributes) {
      var made = document.createElementNS("http://www.w3.org/2000/svg", name);
      Object.keys(attributes).forEach(function (key) { made.setAttribute(key, attributes[key]); });
      return made;
    }
    var made = svg("svg", { viewBox: "0 0 32 32", "aria-hidden": "true" });
    made.append(svg("circle", { cx: 16, cy: 16, r: 14 }), svg("circle", { "class": "dot", cx: 11, cy: 13, r: 1.9 }), svg("circle", { "class": "dot", cx: 21, cy: 13, r: 1.9 }), svg("path", { d: FACES[level] }));
    return made;
  }

  /* --- sending ---------------------------------------------------------------------------------------------- */
  function address(s, what) {
    var query = s.site ? "?site=" + encodeURIComponent(s.site) : "";
    return (s.endpoint || "") + "/api/v1/public/surveys/" + encodeURIComponent(s.survey) + "/" + what + query;
  }
  function post(url, body, key) {
    var headers = { "Content-Type": "application/json" };
    if (key) headers["Idempotency-Key"] = key;
    return fetch(url, { method: "POST", headers: headers, body: JSON.stringify(body), credentials: "omit", keepalive: true, referrerPolicy: "origin" });
  }
  function mayComeRight(status) { return status >= 500 || status === 429 || status === 408; }
  function enqueue(one) {
    stored("localStorage", QUEUE, (stored("localStorage", QUEUE) || []).concat([one]).slice(-QUEUED));
  }
  function flush() {
    var waiting = stored("localStorage", QUEUE);
    if (!Array.isArray(waiting) || !waiting.length || navigator.onLine === false) return;
    var one = waiting[0];
    function drop() {
      var now = stored("localStorage", QUEUE) || [];
      stored("localStorage", QUEUE, now.filter(function (each) { return each.key !== one.key; }));
      flush();
    }
    if (!one || !one.url || Date.now() - one.at > KEEP_MS) return drop();
    post(one.url, one.body, one.key).then(quietly(function (answer) { if (!mayComeRight(answer.status)) drop(); }), function () {});
  }

  /* --- one survey on the screen ------------------------------------------------------------------------------ */
  function Widget(config, kept) {
    this.s = config;
    this.lang = config.lang || document.documentElement.lang || "zh-CN";
    this.words = WORDS[this.lang] || WORDS[this.lang.slice(0, 2) === "en" ? "en" : "zh-CN"];
    this.answers = kept.answers || {};
    this.at = kept.at || "";
    this.key = kept.key || random();
    this.seed = config.token || this.key;
    this.started = kept.started || Date.now();
    this.before = document.activeElement;
  }
  var W = Widget.prototype;

  W.say = function (name, value, other) { return String(this.words[name]).replace("%1", value).replace("%2", other); };
  W.text = function (map) { return hsLogic.inLanguage(map, this.lang, this.s.definition.defaultLang); };
  W.piped = function (map) { return hsLogic.piped(this.s.definition, this.text(map), this.facts(this.path().active), this.lang); };
  W.facts = function (active) { return Object.assign({}, this.s.snapshot || {}, { a: active }); };
  W.path = function () { return hsLogic.walk(this.s.definition, this.answers, this.s.snapshot || {}, this.seed); };
  W.item = function (id) {
    var found = null;
    this.s.definition.blocks.forEach(function (block) { block.items.forEach(function (item) { if (item.id === id) found = item; }); });
    return found;
  };
  W.keep = function () {
    if (this.s.preview) return;
    var s = Object.assign({}, this.s, { mount: typeof this.s.mount === "string" ? this.s.mount : undefined, onDone: undefined });
    stored("sessionStorage", OPEN, { s: s, answers: this.answers, at: this.at, key: this.key, started: this.started, t: Date.now() });
  };

  W.open = function () {
    var mount = typeof this.s.mount === "string" ? document.querySelector(this.s.mount) : this.s.mount;
    this.host = document.createElement("div");
    this.host.setAttribute("data-hs-survey", this.s.survey);
    var root = this.host.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    this.card = el("div", { "class": "card " + (mount ? "inline" : "popover"), role: mount ? "region" : "dialog", "aria-label": this.text(this.s.definition.title), lang: this.lang });
    this.live = el("div", { "class": "vh", "aria-live": "polite" });
    root.append(this.card, this.live);
    var self = this;
    this.card.addEventListener("keydown", quietly(function (e) { if (e.key === "Escape" && !self.s.stay) { e.stopPropagation(); self.close(); } }));
    ["keydown", "keyup", "keypress", "click", "input", "change"].forEach(function (kind) { // the page's shortcuts are not for us
      self.host.addEventListener(kind, function (e) { e.stopPropagation(); });
    });
    (mount || document.body).append(this.host);
    this.show(false);
    if (!this.s.preview) this.watch();
  };

  W.watch = function () { // seen: at least half of it for at least a second
    var self = this, timer = 0;
    if (!this.s.token || this.isSeen) return;
    this.eye = new IntersectionObserver(quietly(function (entries) {
      clearTimeout(timer);
      if (entries[entries.length - 1].intersectionRatio < 0.5) return;
      timer = setTimeout(quietly(function () {
        self.eye.disconnect();
        post(address(self.s, "shown"), { token: self.s.token }).then(quietly(function (answer) {
          if (answer.status === 409 && !Object.keys(self.answers).length) self.gone("withdrawn");
        }), function () {});
      }), SEEN_MS);
    }), { threshold: [0, 0.5] });
    this.eye.observe(this.card);
  };

  /* One question: progress, the question, its answers, back and next. */
  W.show = function (isMoved) {
    var path = this.path(), places = path.items;
    if (places.indexOf(this.at) < 0) this.at = places[0];
    var item = this.item(this.at), index = places.indexOf(this.at), self = this;
    this.title = el("h2", { id: "t", tabindex: "-1", text: this.piped(item.title) + (item.required || item.type === "statement" ? "" : this.words.optional) });
    this.error = el("p", { "class": "err", role: "alert", id: "e" });
    var bar = el("i");
    bar.style.width = Math.round(100 * (index + 1) / places.length) + "%"; // by CSSOM: no style attribute is parsed
    this.card.replaceChildren(
      el("div", { "class": "bar", role: "progressbar", "aria-valuemin": 1, "aria-valuemax": places.length, "aria-valuenow": index + 1, "aria-label": this.say("progress", index + 1, places.length) }, [bar]),
      el("div", { "class": "top" }, [
        el("span", { text: this.say("of", index + 1, places.length), "aria-hidden": "true" }),
        this.s.stay ? null : el("button", { "class": "x", type: "button", "aria-label": this.words.close, text: "✕", onclick: function () { self.close(); } })
      ]),
      el("div", { "class": "body" }, [this.title, item.help ? el("p", { "class": "help", text: this.text(item.help) }) : null, this.control(item), this.error]),
      el("div", { "class": "foot" }, [
        index > 0 ? el("button", { type: "button", text: this.words.back, onclick: function () { self.at = places[index - 1]; self.keep(); self.show(true); } }) : null,
        (this.go = el("button", { "class": "go", type: "button", onclick: function () { self.next(); } }))
      ])
    );
    this.label();
    if (isMoved) {
      this.title.focus();
      this.live.textContent = this.say("progress", index + 1, places.length);
    }
  };

  W.label = function () {
    var places = this.path().items;
    this.go.textContent = places[places.length - 1] === this.at ? this.words.submit : this.words.next;
  };

  W.set = function (item, value) {
    if (hsLogic.isEmpty(value)) delete this.answers[item.id]; else this.answers[item.id] = value;
    this.error.textContent = "";
    this.label();
    this.keep();
  };

  W.control = function (item) {
    if (item.type === "text") return this.words_(item);
    if (item.type === "dropdown") return this.list(item);
    if (item.type === "matrix") return this.matrix(item);
    if (item.type === "rank") return this.rank(item);
    if (item.type === "consent") return this.group(item, [{ id: true, text: this.words.agree }], "checkbox", item.id, this.answers[item.id] === true);
    if (item.type === "single" || item.type === "multi") return this.choices(item);
    return item.type === "statement" ? null : this.scale(item);
  };

  /* A group of radio buttons or check boxes over [{id, text, mark}]; each choice is a target of 44 px or more. */
  W.group = function (item, choices, kind, name, chosen, onchange, extra) {
    var self = this, isScale = extra && extra.isScale, pressed = 0;
    var box = el("div", { "class": "opts" + (isScale ? " scale n" + choices.length : ""), role: kind === "radio" ? "radiogroup" : "group", "aria-labelledby": (extra && extra.labelledby) || "t", "aria-describedby": "e" });
    choices.forEach(function (choice) {
      var input = el("input", { type: kind, name: name, value: String(choice.id), "aria-label": choice.label });
      input.checked = Array.isArray(chosen) ? chosen.indexOf(choice.id) >= 0 : chosen === choice.id || (kind === "checkbox" && chosen === true);
      var label = el("label", { "class": input.checked ? "on" : "", onpointerdown: function () { pressed = Date.now(); } }, [
        input, choice.face !== undefined ? face(choice.face) : choice.mark ? el("b", { text: choice.mark, "aria-hidden": "true" }) : null, el(isScale && (choice.mark || choice.face !== undefined) ? "small" : "span", { text: choice.text })
      ]);
      input.addEventListener("change", quietly(function () {
        if (onchange) onchange(choice, input); else self.set(item, kind === "checkbox" ? input.checked : choice.id);
        box.querySelectorAll("label").forEach(function (each) { each.className = each.firstChild.checked ? "on" : ""; });
        if (kind === "radio" && isScale && Date.now() - pressed < 800) { // by touch or mouse, never while moving with the arrow keys
          setTimeout(quietly(function () { if (self.at === item.id && self.card.contains(box)) self.next(); }), 260);
        }
      }));
      box.append(label);
    });
    return box;
  };

  W.scale = function (item) {
    var ends = SCALES[item.type] || [1, item.scale || 5], choices = [], n, word = this.words;
    for (n = ends[0]; n <= ends[1]; n++) {
      var choice = { id: n, text: String(n) };
      if (item.type === "csat") choice = { id: n, face: n - 1, text: word.csat[n - 1], label: n + " " + word.csat[n - 1] };
      else if (item.type === "rating" && item.style === "smiley") choice.face = Math.round((n - 1) * 4 / (ends[1] - 1));
      else if (item.type === "rating" && item.style !== "number") choice = { id: n, mark: "★", text: String(n), label: this.say("stars", n) };
      choices.push(choice);
    }
    var low = this.text(item.lowLabel) || word[item.type + "_low"], high = this.text(item.highLabel) || word[item.type + "_high"];
    var box = this.group(item, choices, "radio", item.id, this.answers[item.id], null, { isScale: true });
    return el("div", {}, [box, low || high ? el("div", { "class": "ends" }, [el("span", { text: low || "" }), el("span", { text: high || "" })]) : null]);
  };

  W.choices = function (item) {
    var self = this, isMulti = item.type === "multi", by = {};
    item.options.forEach(function (option) { by[option.id] = option; });
    var choices = hsLogic.orderedOptions(item, this.seed).map(function (id) { return { id: id, text: self.text(by[id].text) }; });
    var own = el("input", { "class": "own", type: "text", maxlength: 200, "aria-label": this.words.other, placeholder: this.words.other, oninput: function () {
      if (own.value.trim()) self.answers[item.id + ".other"] = own.value; else delete self.answers[item.id + ".other"];
      self.keep();
    } });
    own.value = this.answers[item.id + ".other"] || "";
    function asked() {
      var chosen = [].concat(self.answers[item.id] || []);
      var is = chosen.some(function (id) { return by[id] && by[id].other; });
      own.hidden = !is;
      own.style.display = is ? "" : "none";
      if (!is) delete self.answers[item.id + ".other"];
    }
    var box = this.group(item, choices, isMulti ? "checkbox" : "radio", item.id, this.answers[item.id], function (choice, input) {
      if (!isMulti) self.set(item, choice.id);
      else {
        var chosen = (self.answers[item.id] || []).filter(function (id) { return id !== choice.id; });
        if (input.checked) {
          chosen = by[choice.id].exclusive ? [] : chosen.filter(function (id) { return !by[id].exclusive; });
          chosen.push(choice.id);
        }
        self.set(item, chosen);
        box.querySelectorAll("input").forEach(function (each) { each.checked = chosen.indexOf(each.value) >= 0; });
      }
      asked();
    });
    asked();
    var hint = !isMulti ? null : item.max ? this.say("pick_max", item.max) : this.words.pick_many;
    return el("div", {}, [hint ? el("p", { "class": "count", text: hint }) : null, box, own]);
  };

  W.words_ = function (item) {
    var self = this, max = item.max || 1000, count = el("p", { "class": "count", "aria-live": "off" });
    var input = el("textarea", { rows: item.multiline === false ? 1 : 4, "aria-labelledby": "t", "aria-describedby": "e", placeholder: this.text(item.placeholder) || null, oninput: function () { self.set(item, input.value); counted(); } });
    function counted() { count.textContent = self.say("words_left", max - Array.from(input.value).length); }
    input.value = this.answers[item.id] || "";
    counted();
    return el("div", {}, [input, count]);
  };

  W.list = function (item) {
    var self = this, by = {};
    item.options.forEach(function (option) { by[option.id] = option; });
    var select = el("select", { "aria-labelledby": "t", "aria-describedby": "e", onchange: function () { self.set(item, select.value); } },
      [el("option", { value: "", text: this.words.choose })].concat(hsLogic.orderedOptions(item, this.seed).map(function (id) {
        return el("option", { value: id, text: self.text(by[id].text) });
      })));
    select.value = this.answers[item.id] || "";
    return select;
  };

  W.matrix = function (item) {
    var self = this, chosen = this.answers[item.id] || {};
    var columns = item.options.map(function (option) { return { id: option.id, text: self.text(option.text) }; });
    return el("div", {}, item.rows.map(function (row, at) {
      return el("div", { "class": "row" }, [el("p", { id: "r" + at, text: self.text(row.text) }),
        self.group(item, columns, "radio", item.id + "." + row.id, chosen[row.id], function (choice) {
          var now = Object.assign({}, self.answers[item.id]);
          now[row.id] = choice.id;
          self.set(item, now);
        }, { labelledby: "t r" + at })]);
    }));
  };

  W.rank = function (item) {
    var self = this, by = {}, most = item.max || item.options.length;
    item.options.forEach(function (option) { by[option.id] = option; });
    var box = el("div", { "class": "opts", role: "group", "aria-labelledby": "t", "aria-describedby": "e" });
    function draw(focused) {
      var chosen = self.answers[item.id] || [];
      box.replaceChildren.apply(box, hsLogic.orderedOptions(item, self.seed).map(function (id) {
        var place = chosen.indexOf(id) + 1;
        var button = el("button", { "class": "rank", type: "button", "aria-pressed": String(place > 0), "aria-label": self.text(by[id].text) + (place ? " " + self.say("order", place) : ""), onclick: function () {
          var now = chosen.filter(function (one) { return one !== id; });
          if (!place && now.length < most) now.push(id);
          self.set(item, now);
          draw(id);
        } }, [el("b", { text: place || "·" }), el("span", { text: self.text(by[id].text) })]);
        if (focused === id) setTimeout(function () { button.focus(); }, 0);
        return button;
      }));
    }
    draw();
    return el("div", {}, [el("p", { "class": "count", text: this.say("rank", most) }), box]);
  };

  /* What is wrong with this item's answer, in words; the server says the same. */
  W.fault = function (item) {
    var value = this.answers[item.id], count = Array.isArray(value) ? value.length : 0, isExclusive;
    if (hsLogic.isEmpty(value) || value === false) return item.required && item.type !== "statement" ? this.words[item.type === "consent" ? "consent" : "required"] : "";
    if (item.type === "matrix" && item.required && Object.keys(value).length < item.rows.length) return this.words.row;
    if (item.type === "text" && Array.from(value.trim()).length > (item.max || 1000)) return this.say("long", item.max || 1000);
    if (item.type === "rank" && count < Math.min(item.max || count, item.options.length)) return this.say("rank", item.max || item.options.length);
    if (item.type !== "multi") return "";
    isExclusive = item.options.some(function (option) { return option.exclusive && value.indexOf(option.id) >= 0; });
    if (item.min && count < item.min && !isExclusive) return this.say("min", item.min);
    return item.max && count > item.max ? this.say("max", item.max) : "";
  };

  W.next = function () {
    var item = this.item(this.at), fault = this.fault(item), places, index;
    if (fault) {
      this.error.textContent = fault;
      return;
    }
    places = this.path().items;
    index = places.indexOf(this.at);
    if (index + 1 >= places.length) return this.submit();
    this.at = places[index + 1];
    this.keep();
    if (this.s.token && !this.s.preview) post(address(this.s, "responses"), this.body(true), this.key).catch(function () {});
    this.show(true);
  };

  W.body = function (isPartial) {
    var shown = this.path().items, given = {}, hidden = {}, answers = this.answers;
    Object.keys(answers).forEach(function (id) {
      if (answers[id] === false || hsLogic.isEmpty(answers[id])) return;
      (shown.indexOf(id.split(".")[0]) >= 0 ? given : hidden)[id] = answers[id];
    });
    var body = { version: this.s.version, answers: given, lang: this.words === WORDS.en ? "en" : "zh-CN", seconds: Math.round((Date.now() - this.started) / 100) / 10 };
    if (this.s.token) body.token = this.s.token; else Object.assign(body, { channel: "inline" }, this.s.extra);
    if (Object.keys(hidden).length) body.inactive = hidden;
    if (isPartial) body.partial = true;
    return body;
  };

  W.submit = function () {
    var self = this, url = address(this.s, "responses"), body = this.body(false);
    var ending = this.path().ending;
    if (this.s.preview) return this.end(ending, null, false);
    this.go.disabled = true;
    function kept() {
      enqueue({ url: url, body: body, key: self.key, at: Date.now() });
      self.end(ending, null, true);
    }
    post(url, body, this.key).then(function (answer) {
      if (mayComeRight(answer.status)) return kept();
      return answer.json().then(quietly(function (said) {
        if (answer.ok) return self.end(said.ending || ending, said.receipt, false);
        self.go.disabled = false;
        self.error.textContent = (said.errors && said.errors[0] && said.errors[0].message) || said.detail || self.words.failed;
      }));
    }).catch(quietly(kept));
  };

  W.end = function (id, receipt, isQueued) {
    var ending = this.s.definition.endings.filter(function (one) { return one.id === id; })[0] || {}, self = this;
    var title = this.text(ending.title) || this.words[ending.kind === "screenout" ? "screenout" : "thanks"];
    var more = isQueued ? this.words.queued : this.text(ending.text) || (ending.kind === "screenout" ? "" : this.words.thanks_text);
    stored("sessionStorage", OPEN, null);
    this.isDone = true;
    var head = el("h2", { tabindex: "-1", text: title });
    var top = el("div", { "class": "top" }, [el("span"), el("button", { "class": "x", type: "button", "aria-label": this.words.close, text: "✕", onclick: function () { self.gone("answered"); } })]);
    this.card.replaceChildren(
      this.s.stay ? "" : top,
      el("div", { "class": "end", role: "status" }, [head, el("p", { text: more }),
        receipt ? el("a", { "class": "go", href: (this.s.endpoint || "") + "/v/" + receipt, target: "_blank", rel: "noopener", text: this.words.receipt }) : null])
    );
    head.focus();
  };

  W.close = function () {
    if (this.isDone) return this.gone("answered");
    if (this.s.token) post(address(this.s, "dismissed"), { token: this.s.token }).catch(function () {});
    this.gone("dismissed");
  };

  W.gone = function (how) {
    var hadFocus = document.activeElement === this.host;
    stored("sessionStorage", OPEN, null);
    if (this.eye) this.eye.disconnect();
    this.host.remove();
    current = null;
    if (hadFocus && this.before && this.before.focus) this.before.focus();
    if (this.s.onDone) this.s.onDone(how);
  };

  function show(config, kept) {
    if (current || !config || !config.definition || !config.definition.blocks) return false;
    var made = new Widget(config, kept || {});
    if (!made.path().items.length) return false;
    current = made;
    try { made.open(); } catch (e) {
      if (made.host) made.host.remove();
      current = null;
      throw e;
    }
    made.keep();
    return true;
  }

  var was = window.hsSurvey, open = stored("sessionStorage", OPEN);
  if (was) return;
  window.hsSurvey = {
    show: function (config) { return quietly(show)(config) === true; },
    hide: quietly(function () { if (current) current.gone("withdrawn"); }),
    flush: quietly(flush)
  };
  window.addEventListener("online", quietly(flush));
  quietly(flush)();
  if (open && open.s && Date.now() - open.t < 864e5) quietly(function () { show(open.s, open); })();
})();
