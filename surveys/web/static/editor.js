// The survey editor: a form over the definition's JSON. The JSON in the textarea is the truth; every change writes it, shows
// the preview (the real widget) and asks the server for the check list. What the form cannot say stays as it is in the JSON.
(function () {
  "use strict";
  var box = document.getElementById("editor"), area = document.getElementById("definition");
  if (!box || !area) return;
  var W = JSON.parse(document.getElementById("editor-words").textContent), survey = JSON.parse(area.value);
  var checks = document.getElementById("checks"), preview = document.getElementById("preview"), langs = document.getElementById("langs");
  var lang = survey.defaultLang || "zh-CN", timer = 0, isDirty = false;
  var SCALES = ["nps", "csat", "ces", "score10", "rating"], CHOICES = ["single", "multi", "dropdown", "rank", "matrix"];

  function spoken() { // the default language first, whatever order the store keeps
    return Object.keys(survey.title).sort(function (a, b) { return (b === lang0()) - (a === lang0()) || (a < b ? -1 : 1); });
  }
  function called(l) { return { "zh-CN": "中文", en: "English" }[l] || l; }
  function lang0() { return survey.defaultLang || "zh-CN"; }
  function el(name, attributes, children) {
    var made = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) {
      var value = attributes[key];
      if (key === "text") made.textContent = value;
      else if (key.slice(0, 2) === "on") made.addEventListener(key.slice(2), value);
      else if (value !== false && value !== undefined && value !== null) made.setAttribute(key, value === true ? "" : value);
    });
    (children || []).forEach(function (child) { if (child) made.append(child); });
    return made;
  }
  function items() { return survey.blocks.reduce(function (all, block) { return all.concat(block.items); }, []); }
  function ids() {
    return survey.blocks.map(function (b) { return b.id; }).concat(items().map(function (i) { return i.id; }), survey.endings.map(function (e) { return e.id; }));
  }
  function fresh(prefix, taken) { for (var n = 1; ; n++) if (taken.indexOf(prefix + n) < 0) return prefix + n; }
  function texts(word) { var made = {}; Object.keys(survey.title).forEach(function (l) { made[l] = word; }); return made; }

  function changed(isRedrawn) {
    isDirty = true;
    area.value = JSON.stringify(survey, null, 2);
    if (isRedrawn) draw();
    clearTimeout(timer);
    timer = setTimeout(function () { show(); check(); }, 350);
  }
  function check() {
    var token = document.querySelector("meta[name=csrf-token]").content;
    fetch(document.getElementById("studio").dataset.check, { method: "POST", headers: { "Content-Type": "application/json", "X-CSRFToken": token }, body: area.value })
      .then(function (answer) { return answer.ok ? answer.json() : null; })
      .then(function (found) {
        if (!found) return;
        checks.replaceChildren.apply(checks, found.length ? found.map(function (one) {
          return el("li", { "class": "is-" + one.level }, [el("b", { text: one.where }), " " + one.sentence]);
        }) : [el("li", { "class": "is-good", text: W.good })]);
      });
  }
  function show() {
    if (!window.hsSurvey) return;
    window.hsSurvey.hide();
    window.hsSurvey.show({ definition: survey, survey: "preview", version: 0, token: null, lang: lang, mount: preview, preview: true, snapshot: { ctx: {}, tag: {}, probe: {}, url: {}, var: {} } });
    langs.replaceChildren.apply(langs, spoken().map(function (l) {
      return el("button", { type: "button", "class": "btn btn-sm" + (l === lang ? " active" : ""), text: called(l), onclick: function () { lang = l; show(); } });
    }));
  }

  /* --- small fields --- */
  function labelled(words, input) { return el("label", { "class": "ed-field" }, [el("span", { text: words }), input]); }
  function word(map, onset, words, isLong) { // one input for each language
    return el("div", { "class": "ed-words" }, spoken().map(function (l) {
      var input = el(isLong ? "textarea" : "input", { "class": "form-control form-control-sm", lang: l, "aria-label": words + " " + called(l), placeholder: words + (Object.keys(survey.title).length > 1 ? " · " + called(l) : ""), rows: isLong ? 2 : null, oninput: function () { map[l] = input.value; if (onset) onset(map); changed(); } });
      input.value = (map && map[l]) || "";
      return input;
    }));
  }
  function number(owner, key, words, min, max) {
    var input = el("input", { type: "number", "class": "form-control form-control-sm", min: min, max: max, step: "any", oninput: function () {
      if (input.value === "") delete owner[key]; else owner[key] = Number(input.value);
      changed();
    } });
    input.value = owner[key] === undefined || owner[key] === null ? "" : owner[key];
    return labelled(words, input);
  }
  function line(owner, key, words, pattern) {
    var input = el("input", { "class": "form-control form-control-sm", pattern: pattern, oninput: function () {
      if (input.value) owner[key] = input.value; else delete owner[key];
      changed();
    } });
    input.value = owner[key] || "";
    return labelled(words, input);
  }
  function tick(owner, key, words) {
    var input = el("input", { type: "checkbox", "class": "form-check-input", onchange: function () {
      if (input.checked) owner[key] = true; else delete owner[key];
      changed();
    } });
    input.checked = !!owner[key];
    return el("label", { "class": "ed-tick" }, [input, el("span", { text: words })]);
  }
  function pick(words, options, value, onset) {
    var input = el("select", { "class": "form-select form-select-sm", "aria-label": words, onchange: function () { onset(input.value); } },
      options.map(function (one) { return el("option", { value: one[0], text: one[1] }); }));
    input.value = value;
    return input;
  }
  function button(words, act, tone) { return el("button", { type: "button", "class": "btn btn-sm " + (tone || ""), text: words, onclick: act }); }
  function movers(list, at, least) {
    return el("span", { "class": "ed-moves" }, [
      at > 0 ? el("button", { type: "button", "class": "icon-btn", title: W.up, "aria-label": W.up, text: "↑", onclick: function () { list.splice(at - 1, 0, list.splice(at, 1)[0]); changed(true); } }) : null,
      at < list.length - 1 ? el("button", { type: "button", "class": "icon-btn", title: W.down, "aria-label": W.down, text: "↓", onclick: function () { list.splice(at + 1, 0, list.splice(at, 1)[0]); changed(true); } }) : null,
      list.length > (least || 0) ? el("button", { type: "button", "class": "icon-btn", title: W.remove, "aria-label": W.remove, text: "✕", onclick: function () { list.splice(at, 1); changed(true); } }) : null
    ]);
  }

  /* --- conditions: a list of simple comparisons, all or any of them --- */
  function simple(condition) {
    if (!condition) return { how: "all", list: [] };
    if (condition.ref) return { how: "all", list: [condition] };
    var how = condition.all ? "all" : condition.any ? "any" : null;
    return how && condition[how].every(function (one) { return one.ref; }) ? { how: how, list: condition[how] } : null;
  }
  function condition(owner, key, before, words) {
    var now = simple(owner[key]);
    if (!now) return el("p", { "class": "none", text: words + "：" + W.complex });
    function put() {
      if (!now.list.length) delete owner[key];
      else if (now.list.length === 1) owner[key] = now.list[0];
      else { owner[key] = {}; owner[key][now.how] = now.list; }
      changed(true);
    }
    var parts = now.list.map(function (leaf, at) { return comparison(leaf, before, put, function () { now.list.splice(at, 1); put(); }); });
    return el("div", { "class": "ed-conditions" }, [
      el("span", { "class": "ed-label", text: words }),
      now.list.length > 1 ? pick(words, [["all", W.all], ["any", W.any]], now.how, function (how) { now.how = how; put(); }) : null,
      now.list.length ? null : el("span", { "class": "none", text: W.always })
    ].concat(parts, before.length ? [button("+ " + W.add_condition, function () {
      var item = before[before.length - 1];
      now.list.push(first(item));
      put();
    }, "btn-ghost")] : []));
  }
  function first(item) {
    if (item.options) return item.type === "multi" || item.type === "rank" ? { ref: "a." + item.id, op: "includesAny", value: [item.options[0].id] } : { ref: "a." + item.id, op: "eq", value: item.options[0].id };
    return SCALES.indexOf(item.type) >= 0 ? { ref: "a." + item.id, op: "lte", value: 3 } : { ref: "a." + item.id, op: "answered" };
  }
  function comparison(leaf, before, put, drop) {
    var item = before.filter(function (one) { return "a." + one.id === leaf.ref; })[0];
    var refs = before.filter(function (one) { return one.type !== "statement" && one.type !== "matrix"; }).map(function (one) { return ["a." + one.id, one.id + " " + (one.title[lang] || "").slice(0, 16)]; });
    if (!item) refs.push([leaf.ref, leaf.ref]);
    var ops = !item ? Object.keys(W.ops) : item.type === "multi" || item.type === "rank" ? ["includesAny", "includesAll", "includesNone", "answered", "empty"] : item.options ? ["eq", "ne", "answered", "empty"] : SCALES.indexOf(item.type) >= 0 ? ["lte", "gte", "eq", "ne", "lt", "gt", "answered", "empty"] : ["answered", "empty", "contains"];
    if (ops.indexOf(leaf.op) < 0) ops.push(leaf.op);
    return el("span", { "class": "ed-condition" }, [
      pick(W["if"], refs, leaf.ref, function (ref) {
        var other = before.filter(function (one) { return "a." + one.id === ref; })[0];
        Object.assign(leaf, { value: undefined }, other ? first(other) : { ref: ref });
        put();
      }),
      pick(W["if"], ops.map(function (op) { return [op, W.ops[op] || op]; }), leaf.op, function (op) {
        leaf.op = op;
        if (op === "answered" || op === "empty") delete leaf.value;
        else if (leaf.value === undefined) Object.assign(leaf, item ? first(item) : { value: "" }, { op: op });
        put();
      }),
      operand(leaf, item),
      el("button", { type: "button", "class": "icon-btn", "aria-label": W.remove, text: "✕", onclick: drop })
    ]);
  }
  function operand(leaf, item) {
    if (leaf.op === "answered" || leaf.op === "empty") return null;
    if (item && item.options) {
      var isMany = Array.isArray(leaf.value);
      var select = el("select", { "class": "form-select form-select-sm", multiple: isMany, size: isMany ? Math.min(item.options.length, 3) : null, "aria-label": W.options, onchange: function () {
        leaf.value = isMany ? Array.from(select.selectedOptions, function (o) { return o.value; }) : select.value;
        changed();
      } }, item.options.map(function (o) { return el("option", { value: o.id, text: o.text[lang] || o.id, selected: isMany ? leaf.value.indexOf(o.id) >= 0 : leaf.value === o.id }); }));
      return select;
    }
    var isNumber = !item || SCALES.indexOf(item.type) >= 0;
    var input = el("input", { "class": "form-control form-control-sm ed-value", "aria-label": W["if"], oninput: function () {
      var text = input.value.trim();
      leaf.value = text === "true" ? true : text === "false" ? false : isNumber && text !== "" && !isNaN(text) ? Number(text) : text;
      changed();
    } });
    input.value = Array.isArray(leaf.value) ? leaf.value.join(",") : String(leaf.value);
    return input;
  }

  /* --- items --- */
  function options(item) {
    return el("div", { "class": "ed-options" }, [el("span", { "class": "ed-label", text: W.options })].concat(item.options.map(function (option, at) {
      return el("div", { "class": "ed-option" }, [word(option.text, null, W.options + " " + (at + 1)), el("code", { text: option.id }),
        item.type === "multi" ? tick(option, "exclusive", W.exclusive) : null,
        item.type === "single" || item.type === "multi" ? tick(option, "other", W.other) : null,
        movers(item.options, at, 1)]);
    }), [button("+ " + W.add_option, function () {
      item.options.push({ id: fresh("o", item.options.map(function (o) { return o.id; })), text: texts("") });
      changed(true);
    }, "btn-ghost")]));
  }
  function rows(item) {
    return el("div", { "class": "ed-options" }, [el("span", { "class": "ed-label", text: W.rows })].concat(item.rows.map(function (row, at) {
      return el("div", { "class": "ed-option" }, [word(row.text, null, W.rows + " " + (at + 1)), el("code", { text: row.id }), movers(item.rows, at, 1)]);
    }), [button("+ " + W.add_row, function () {
      item.rows.push({ id: fresh("r", item.rows.map(function (r) { return r.id; })), text: texts("") });
      changed(true);
    }, "btn-ghost")]));
  }
  function retype(item, type) { // keeps what still means something
    var kept = { id: item.id, type: type, title: item.title };
    ["help", "required", "showIf", "metric"].forEach(function (key) { if (item[key] !== undefined) kept[key] = item[key]; });
    if (CHOICES.indexOf(type) >= 0) kept.options = item.options || [{ id: "o1", text: texts("") }, { id: "o2", text: texts("") }];
    if (type === "matrix") kept.rows = item.rows || [{ id: "r1", text: texts("") }];
    Object.keys(item).forEach(function (key) { delete item[key]; });
    Object.assign(item, kept);
    changed(true);
  }
  function card(block, item, at) {
    var all = items(), before = all.slice(0, all.indexOf(item));
    return el("section", { "class": "card ed-item" }, [
      el("div", { "class": "ed-item-head" }, [el("code", { text: item.id }), pick(W.type, Object.keys(W.types).map(function (t) { return [t, W.types[t]]; }), item.type, function (type) { retype(item, type); }), tick(item, "required", W.required), movers(block.items, at, 1)]),
      word(item.title, null, W.title, true),
      CHOICES.indexOf(item.type) >= 0 ? options(item) : null,
      item.type === "matrix" ? rows(item) : null,
      el("div", { "class": "ed-row" }, [
        SCALES.indexOf(item.type) >= 0 ? line(item, "metric", W.metric) : null,
        item.type === "rating" ? number(item, "scale", W.scale, 2, 10) : null,
        item.type === "rating" ? labelled(W.style, pick(W.style, [["star", W.star], ["smiley", W.smiley], ["number", W.number]], item.style || "star", function (style) { item.style = style; changed(); })) : null,
        item.type === "multi" ? number(item, "min", W.min, 1, 50) : null,
        item.type === "multi" || item.type === "rank" ? number(item, "max", W.max_pick, 1, 50) : null,
        item.type === "text" ? number(item, "max", W.max_words, 1, 5000) : null,
        item.type === "text" ? tick(item, "analyse", W.analyse) : null,
        item.type === "consent" ? line(item, "policyVersion", W.policy) : null
      ]),
      condition(item, "showIf", before, W.shown_if)
    ]);
  }
  function jumps(block, at) {
    var targets = survey.blocks.slice(at + 1).map(function (b, n) { return [b.id, W.page.replace("%1", at + n + 2)]; }).concat(survey.endings.map(function (e) { return [e.id, W.ending + " " + e.id]; }));
    var all = items(), last = block.items[block.items.length - 1], before = all.slice(0, all.indexOf(last) + 1);
    return el("div", { "class": "ed-jumps" }, [el("span", { "class": "ed-label", text: W.jump })].concat((block.next || []).map(function (jump, n) {
      return el("div", { "class": "ed-jump" }, [condition(jump, "if", before, W["if"]), labelled(W.jump_to, pick(W.jump_to, targets, jump.to, function (to) { jump.to = to; changed(); })), movers(block.next, n)]);
    }), [(block.next || []).length ? null : el("span", { "class": "none", text: W.go_on }), button("+ " + W.add_jump, function () {
      (block.next = block.next || []).push({ to: targets[0][0] });
      changed(true);
    }, "btn-ghost")]));
  }

  function draw() {
    var open = document.activeElement && document.activeElement.id;
    box.replaceChildren.apply(box, [el("section", { "class": "card ed-item" }, [labelled(W.survey_title, word(survey.title, null, W.survey_title)),
      survey.title.en === undefined ? button("+ " + W.add_language, function () { addLanguage("en"); }, "btn-ghost") : null])]
      .concat(survey.blocks.map(function (block, at) {
        return el("div", { "class": "ed-block" }, [el("div", { "class": "ed-block-head" }, [el("h2", { text: W.page.replace("%1", at + 1) }), el("code", { text: block.id }), movers(survey.blocks, at, 1)])]
          .concat(block.items.map(function (item, n) { return card(block, item, n); }), [
            button("+ " + W.add_item, function () {
              block.items.push({ id: fresh("q", ids()), type: "csat", title: texts("") });
              changed(true);
            }), jumps(block, at)]));
      }), [button("+ " + W.add_block, function () {
        survey.blocks.push({ id: fresh("b", ids()), items: [{ id: fresh("q", ids()), type: "csat", title: texts("") }] });
        changed(true);
      }), endings(), spread()]));
    if (open) { var same = document.getElementById(open); if (same) same.focus(); }
  }
  function endings() {
    return el("section", { "class": "card ed-item" }, [el("h2", { text: W.ending })].concat(survey.endings.map(function (end, at) {
      return el("div", { "class": "ed-option" }, [el("code", { text: end.id }), pick(W.ending, [["complete", W.complete], ["screenout", W.screenout]], end.kind, function (kind) { end.kind = kind; changed(); }),
        word(end.title || {}, function (map) { end.title = map; }, W.end_title), word(end.text || {}, function (map) { end.text = map; }, W.end_text, true), movers(survey.endings, at, 1)]);
    }), [button("+ " + W.add_ending, function () { survey.endings.push({ id: fresh("end", ids()), kind: "complete" }); changed(true); }, "btn-ghost")]));
  }
  function spread() {
    var spread = survey.distribution = survey.distribution || {}, contact = spread.contact = spread.contact || {};
    var channels = spread.channels || Object.keys(W.channel_names);
    return el("section", { "class": "card ed-item" }, [el("h2", { text: W.spread }), el("div", { "class": "ed-row" }, Object.keys(W.channel_names).map(function (name) {
      var input = el("input", { type: "checkbox", "class": "form-check-input", onchange: function () {
        spread.channels = Object.keys(W.channel_names).filter(function (one) { return one === name ? input.checked : channels.indexOf(one) >= 0; });
        channels = spread.channels;
        changed();
      } });
      input.checked = channels.indexOf(name) >= 0;
      return el("label", { "class": "ed-tick" }, [input, el("span", { text: W.channel_names[name] })]);
    })), el("div", { "class": "ed-row" }, [number(contact, "maxShows", W.max_shows, 1, 1000), number(contact, "cooldownDays", W.cooldown, 0, 3650), number(contact, "repeatAfterDays", W.repeat, 0, 3650), number(contact, "sample", W.sample, 0, 1)])]);
  }
  function addLanguage(l) {
    (function walk(part) {
      if (!part || typeof part !== "object") return;
      Object.keys(part).forEach(function (key) {
        var value = part[key];
        if (value && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length && Object.keys(value).every(function (k) { return /^[a-z]{2}(-[A-Z]{2})?$/.test(k) && typeof value[k] === "string"; })) value[l] = value[l] || "";
        else walk(value);
      });
    })(survey);
    changed(true);
  }

  area.addEventListener("change", function () {
    try { survey = JSON.parse(area.value); } catch (e) { return; }
    if (!survey.blocks || !survey.endings || !survey.title) return;
    draw();
    show();
    check();
  });
  document.getElementById("draft").addEventListener("submit", function () { isDirty = false; });
  addEventListener("beforeunload", function (e) { if (isDirty) e.preventDefault(); });
  if (survey.blocks && survey.endings && survey.title) { draw(); show(); }
})();
