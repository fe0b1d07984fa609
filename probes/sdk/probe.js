/* The probe: what a customer goes through on a page, told to the service in batches.

   <script>window.hs = window.hs || function () { (hs.q = hs.q || []).push(arguments); };</script>   (optional, a stub)
   <script src="https://feedback.example/sdk/v1.js" data-site="site_demo" defer></script>

   On the script: data-site (the site's key), data-touchpoint (of the whole page), data-province, data-endpoint (another
   service), data-consent="required" (nothing is kept or sent before hs("consent", true)), data-errors="off",
   data-clicks="off", data-network="off".

   On the page: data-hs-touchpoint on the part where a task is done: seen is `view`, first touched is `start`.
   Inside it data-hs-step="pay", data-hs-success, data-hs-fail="CODE": on buttons, links and forms they happen when
   used, on anything else when it becomes visible.

   By call: hs("start", touchpoint, more) · hs("step", name, more) · hs("success", more) · hs("fail", code, more)
   hs("event", name, more) · hs("identify", {id, ts, sig}) · hs("context", {province, version, …})
   hs("consent", yes) · hs("debug"). `more` may hold touchpoint, step, ms and props.

   Numbers of seven digits and more and addresses of mail are masked before anything is queued; what is typed into forms
   is never read. Do-Not-Track and Global Privacy Control are obeyed. Nothing here throws into the page. */
(function () {
  "use strict";
  var me = document.currentScript, told = me ? me.dataset : {}, site = told.site || "";
  if (!site || window.hsProbe) return;
  var endpoint = told.endpoint || new URL(me.src, location.href).origin;
  var QUEUE = "hs_queue", SESSION = "hs_session", DEVICE = "hs_device", CONSENT = "hs_consent", TASK = "hs_task", CONFIG = "hs_config", NOT_ALLOWED = "no consent or Do-Not-Track";
  var MOST = 200, BATCH = 20, WAIT = 2000, IDLE = 18e5, BEACON = 6e4, OLDEST = 7 * 864e5, HELD = 55e3, CALM = 250;
  var queue = [], context = {}, customer, config = {}, task, page, memory = {}, debugging = read("sessionStorage", "hs_debug");
  var timer, sending, failures = 0, retryAt = 0, stopped = "", ready, seenErrors = {}, errors = 0, invitation, moved = 0, asked = 0, leaving = 0;

  function quietly(f) {
    return function () { try { return f.apply(this, arguments); } catch (e) { say("fault", e); } };
  }
  function say() { if (debugging) console.log.apply(console, ["[hs]"].concat([].slice.call(arguments))); }
  function read(kind, key) { try { return JSON.parse(window[kind].getItem(key)); } catch (e) { return null; } }
  function write(kind, key, value) {
    try { if (value === null) window[kind].removeItem(key); else window[kind].setItem(key, JSON.stringify(value)); return true; } catch (e) { return false; }
  }
  function kept(key, value) { // localStorage, else sessionStorage, else for this page only
    if (value === undefined) return read("localStorage", key) || read("sessionStorage", key) || memory[key];
    memory[key] = value;
    return write("localStorage", key, value) || write("sessionStorage", key, value);
  }
  function random() {
    return Array.from(crypto.getRandomValues(new Uint8Array(12)), function (b) { return ("0" + b.toString(16)).slice(-2); }).join("");
  }
  function session() {
    var known = kept(SESSION), now = Date.now();
    if (!known || !known.id || !(now - known.at < IDLE)) known = { id: "s" + random() };
    known.at = now;
    kept(SESSION, known);
    return known.id;
  }
  function device() {
    var known = kept(DEVICE);
    if (!known) kept(DEVICE, known = "d" + random());
    return known;
  }
  function isAllowed() {
    if (navigator.doNotTrack === "1" || navigator.globalPrivacyControl) return false;
    var said = kept(CONSENT);
    return said === "no" ? false : said === "yes" || told.consent !== "required";
  }

  /* --- masking ------------------------------------------------------------------------------------------------ */
  function masked(value, deep) {
    if (typeof value === "string") return value.slice(0, 500).replace(/\d(?:[ -]?\d){6,}|[\w.+-]+@[\w-]+\.[\w.-]+/g, "*");
    if (typeof value === "number") return !isFinite(value) ? null : value % 1 || Math.abs(value) < 1e6 ? value : "*";
    if (typeof value === "boolean" || !value) return value === undefined ? null : value;
    if (deep > 3 || value instanceof Node) return null;
    if (Array.isArray(value)) return value.slice(0, 20).map(function (v) { return masked(v, deep + 1); });
    var made = {};
    if (typeof value === "object") Object.keys(value).slice(0, 30).forEach(function (k) { made[masked(k)] = masked(value[k], deep + 1); });
    return made;
  }
  function code(text) { return masked(String(text)).replace(/[^\w.:\/一-鿿-]/g, "_").slice(0, 64); }
  function path(url) { try { var u = new URL(url, location.href); return masked((u.origin === location.origin ? "" : u.host) + u.pathname).slice(0, 120); } catch (e) { return ""; } }
  function named(node) { return node.tagName.toLowerCase() + (node.id ? "#" + masked(node.id) : "") + (typeof node.className === "string" && node.className ? "." + masked(node.className.trim().split(/\s+/)[0]) : ""); }

  /* --- recording ---------------------------------------------------------------------------------------------- */
  function record(type, more) {
    if (stopped || !isAllowed()) return say("not recorded", type, stopped || NOT_ALLOWED);
    more = more || {};
    var event = { id: random(), at: new Date().toISOString(), touchpoint: code(more.touchpoint || (task && task.touchpoint) || page || "page"), type: type };
    if (more.step) event.step = code(more.step);
    if (more.ms >= 0) event.ms = Math.min(Math.round(more.ms), 864e5);
    if (more.code) event.code = code(more.code);
    if (type === "success" || type === "fail") event.ok = type === "success";
    event.props = masked(Object.assign({}, context, more.props), 0);
    if (JSON.stringify(event.props).length > 1800) event.props = masked(context, 0);
    queue.push({ s: session(), e: event });
    if (queue.length > MOST) queue.splice(0, queue.length - MOST);
    say("recorded", event);
    plan(type === "success" || type === "fail" || queue.length >= BATCH ? 0 : WAIT);
  }
  function keepTask() { write("sessionStorage", TASK, task || null); }
  function start(touchpoint, more) {
    if (task && task.touchpoint === touchpoint) return;
    if (task) abandon();
    task = { touchpoint: touchpoint, at: Date.now(), stepAt: Date.now() };
    keepTask();
    record("start", Object.assign({}, more, { touchpoint: touchpoint }));
  }
  function step(name, more) {
    more = more || {};
    var touchpoint = more.touchpoint || (task && task.touchpoint) || page;
    if (touchpoint && (!task || task.touchpoint !== touchpoint)) start(touchpoint);
    if (task && task.step === name) return;
    var dwell = task ? Date.now() - task.stepAt : undefined, from = task && task.step;
    if (task) { task.step = name; task.stepAt = Date.now(); keepTask(); }
    record("step", Object.assign({}, more, { step: name, props: Object.assign({ dwell_ms: dwell, from: from || "start" }, more.props) }));
  }
  function end(type, more) {
    more = Object.assign({}, more);
    if (task && (!more.touchpoint || more.touchpoint === task.touchpoint)) {
      more.touchpoint = task.touchpoint;
      if (more.ms === undefined) more.ms = Date.now() - task.at;
      if (!more.step) more.step = task.step;
      task = undefined;
      keepTask();
    }
    record(type, more);
    invite();
  }
  function abandon() { end("abandon", { props: { reason: leaving ? "left" : "other task" } }); }

  /* --- sending ------------------------------------------------------------------------------------------------ */
  function plan(ms) {
    if (stopped || sending) return;
    clearTimeout(timer);
    timer = setTimeout(quietly(send), Math.max(ms, retryAt - Date.now(), 0));
  }
  function batch(most) { // events of one session, the first in the queue
    var first = queue[0], of = queue.filter(function (item) { return item.s === first.s; }).slice(0, BATCH * 2), body;
    do {
      var told = { site: site, sent_at: new Date().toISOString(), session: first.s, device: device(), events: of.map(function (item) { return item.e; }) };
      if (customer) told.customer = customer;
      body = JSON.stringify(told);
    } while (body.length > most && of.length > 1 && (of = of.slice(0, of.length >> 1)));
    return { items: of, body: body };
  }
  function drop(items) { queue = queue.filter(function (item) { return items.indexOf(item) < 0; }); }
  function send() {
    if (!queue.length || sending || stopped || !ready) return;
    if (!isAllowed()) return;
    var made = batch(2e5);
    sending = made;
    say("sending", made.items.length);
    plainFetch(endpoint + "/collect/v1/events", { method: "POST", headers: { "Content-Type": "text/plain" }, body: made.body, credentials: "omit", keepalive: made.body.length < BEACON, referrerPolicy: "origin" })
      .then(function (answer) {
        if (answer.status >= 500 || answer.status === 429 || answer.status === 408) throw new Error("HTTP " + answer.status);
        return answer.json().catch(function () { return {}; }).then(function (body) { return { status: answer.status, body: body }; });
      })
      .then(quietly(function (answer) {
        sending = undefined;
        failures = retryAt = 0;
        drop(made.items);
        forget(made.items);
        if (answer.status !== 202) say("refused", answer.status, answer.body);
        else heard(answer.body);
        if (queue.length) plan(0);
      }), quietly(function (error) {
        sending = undefined;
        retryAt = Date.now() + Math.min(WAIT * Math.pow(2, failures++), 3e5) * (.75 + Math.random() / 2);
        say("not sent, again in", retryAt - Date.now(), "ms", error.message);
        persist();
        plan(0);
      }));
  }
  function persist() { // what is not acknowledged waits in the browser, with ids that make a second sending harmless
    var known = read("localStorage", QUEUE) || [], ids = {};
    known.concat(queue).forEach(function (item) { if (item && item.e) ids[item.e.id] = item; });
    var all = Object.keys(ids).map(function (id) { return ids[id]; }).slice(-MOST);
    while (all.length && !write("localStorage", QUEUE, all)) all = all.slice(all.length >> 1 || 1);
  }
  function forget(items) {
    var known = read("localStorage", QUEUE);
    if (!known) return;
    var ids = items.map(function (item) { return item.e.id; });
    known = known.filter(function (item) { return ids.indexOf(item.e.id) < 0; });
    write("localStorage", QUEUE, known.length ? known : null);
  }
  function restore() {
    var oldest = Date.now() - OLDEST, known = read("localStorage", QUEUE);
    if (!Array.isArray(known)) return;
    known = known.filter(function (item) { return item && item.e && Date.parse(item.e.at) > oldest; });
    queue = known.concat(queue).slice(-MOST);
    if (known.length) { say("unsent", known.length); plan(0); }
  }
  function leave() { // the answer will not be seen: keep the events until the next page hears that they arrived
    if (!queue.length || stopped || !isAllowed()) return;
    persist();
    if (navigator.onLine === false) return;
    var made = batch(BEACON), url = endpoint + "/collect/v1/events";
    if (!(navigator.sendBeacon && navigator.sendBeacon(url, new Blob([made.body], { type: "text/plain" })))) {
      plainFetch(url, { method: "POST", headers: { "Content-Type": "text/plain" }, body: made.body, credentials: "omit", keepalive: true }).catch(function () {});
    }
  }
  function heard(answer) {
    say("answer", answer);
    if (answer.invitation) { invitation = answer.invitation; invitation.heardAt = Date.now(); invite(); } else say("no survey", answer.reason || "no trigger");
  }

  /* --- asking ------------------------------------------------------------------------------------------------- */
  function widget(then) {
    if (window.hsSurvey) return then && then();
    var script = document.createElement("script");
    script.src = endpoint + "/sdk/survey.js";
    script.onload = quietly(then || function () {});
    script.onerror = function () { say("survey not loaded"); };
    (document.head || document.documentElement).append(script);
  }
  function invite() {
    if (!invitation) return;
    if (task) return say("survey waits for", task.touchpoint);
    var one = invitation;
    invitation = undefined;
    setTimeout(quietly(function () {
      if (task) { invitation = one; return; }
      if (Date.now() - one.heardAt > HELD) return say("survey too late");
      widget(function () {
        var shown = window.hsSurvey.show({ endpoint: endpoint, site: site, token: one.token, survey: one.survey, version: one.version, definition: one.definition, snapshot: one.snapshot, onDone: function (how) { say("survey", one.survey, how); } });
        say("survey", one.survey, shown ? "shown" : "not shown, another is");
      });
    }), CALM);
  }

  /* --- what is marked on the page ------------------------------------------------------------------------------- */
  var MARKED = "[data-hs-touchpoint],[data-hs-step],[data-hs-success],[data-hs-fail]", watched = new WeakSet();
  function place(node) { var found = node.closest("[data-hs-touchpoint]"); return (found && found.dataset.hsTouchpoint) || page; }
  function isUsed(node) { return /^(A|BUTTON|FORM|INPUT)$/.test(node.tagName); }
  function happened(node) {
    var data = node.dataset, more = { touchpoint: place(node) };
    if (data.hsStep) step(data.hsStep, more);
    if (!task) return;
    if (data.hsSuccess !== undefined) end("success", more);
    else if (data.hsFail !== undefined) end("fail", Object.assign({ code: data.hsFail || "FAIL" }, more));
  }
  var sight = window.IntersectionObserver && new IntersectionObserver(quietly(function (entries) {
    entries.forEach(function (entry) {
      var node = entry.target;
      if (!entry.isIntersecting) return;
      if (node.dataset.hsTouchpoint && !node.hsSeen) { node.hsSeen = true; record("view", { touchpoint: node.dataset.hsTouchpoint, props: { path: path(location.href) } }); }
      if (!isUsed(node)) happened(node);
    });
  }));
  function find(root) {
    if (!sight || root.nodeType !== 1) return;
    (root.matches(MARKED) ? [root] : []).concat([].slice.call(root.querySelectorAll(MARKED))).forEach(function (node) {
      if (!watched.has(node)) { watched.add(node); sight.observe(node); }
    });
  }
  function touched(event) {
    var node = event.target;
    if (!node.closest) return;
    var inside = node.closest("[data-hs-touchpoint]");
    if (inside && !task && event.type !== "click" && (event.type !== "pointerdown" || node.closest("a,button,input,select,textarea,label,[role=button]"))) start(inside.dataset.hsTouchpoint);
    if (event.type !== "click" && event.type !== "submit") return;
    if (inside && node.closest(event.type === "submit" ? "form" : "a[href]")) moved = Date.now(); // the task goes on at the next page
    var used = node.closest("[data-hs-step],[data-hs-success],[data-hs-fail]");
    if (used && isUsed(used) && (used.tagName === "FORM") === (event.type === "submit")) happened(used);
  }

  /* --- clicks that lead nowhere --------------------------------------------------------------------------------- */
  var clicks = [], alive = 0;
  function clicked(event) {
    var node = event.target, now = Date.now(), near;
    if (!node.closest || node.closest("[data-hs-survey]")) return;
    clicks = clicks.filter(function (c) { return now - c.at < 1000; });
    clicks.push({ at: now, x: event.clientX, y: event.clientY });
    near = clicks.filter(function (c) { return Math.abs(c.x - event.clientX) + Math.abs(c.y - event.clientY) < 40; });
    if (near.length >= 3 && event.detail !== 0) { clicks = []; record("rage_click", { touchpoint: place(node), props: { target: named(node), path: path(location.href) } }); }
    var button = node.closest("button,a,[role=button]");
    if (!button || button.disabled) return;
    var scrolled = scrollY, where = location.href;
    setTimeout(quietly(function () {
      if (alive < now && !leaving && scrollY === scrolled && location.href === where && !document.hidden) record("dead_click", { touchpoint: place(button), props: { target: named(button), path: path(where) } });
    }), 1200);
  }

  /* --- errors, requests, timing --------------------------------------------------------------------------------- */
  function fault(name, text, props) {
    var key = name + text;
    if (errors >= 10 || seenErrors[key]) return;
    seenErrors[key] = true;
    errors++;
    record("error", { code: name, props: Object.assign({ message: String(text).slice(0, 200), path: path(location.href) }, props) });
  }
  function requested(url, method, status, ms, failed) {
    if (String(url).indexOf(endpoint + "/collect/") === 0 || String(url).indexOf("/api/v1/public/") >= 0) return;
    var props = { url: path(url), method: String(method || "GET").toUpperCase().slice(0, 8), status: status };
    if (failed || status >= 400) { if (errors++ < 10) record("error", { code: failed ? "NETWORK" : "HTTP_" + status, ms: ms, props: props }); }
    else if (ms > (config.slow_ms || 3000)) record("custom", { code: "SLOW", ms: ms, props: props });
  }
  var plainFetch = window.fetch.bind(window);
  function watchRequests() {
    window.fetch = function (input, init) {
      var begun = performance.now(), answer = plainFetch.apply(null, arguments);
      alive = Date.now();
      answer.then(quietly(function (r) { requested(r.url || (input && input.url) || input, (init || input || {}).method, r.status, performance.now() - begun); }),
        quietly(function (e) { if (e && e.name !== "AbortError" && !leaving) requested((input && input.url) || input, (init || input || {}).method, 0, performance.now() - begun, true); }));
      return answer;
    };
    var open = XMLHttpRequest.prototype.open, go = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.open = function (method, url) { this.hsAsked = [method, url]; return open.apply(this, arguments); };
    XMLHttpRequest.prototype.send = function () {
      var asked = this.hsAsked || [], begun = performance.now(), xhr = this, aborted;
      alive = Date.now();
      xhr.addEventListener("abort", function () { aborted = true; });
      xhr.addEventListener("loadend", quietly(function () { if (!aborted && !leaving) requested(new URL(asked[1], location.href).href, asked[0], xhr.status, performance.now() - begun, !xhr.status); }));
      return go.apply(this, arguments);
    };
  }
  var vitals = {};
  function observe(type, then) { try { new PerformanceObserver(quietly(function (list) { list.getEntries().forEach(then); })).observe({ type: type, buffered: true }); } catch (e) { /* an older browser */ } }
  function timing() {
    var nav = performance.getEntriesByType("navigation")[0], paint = performance.getEntriesByName("first-contentful-paint")[0];
    if (nav && nav.loadEventEnd) record("vital", { code: "load", ms: nav.loadEventEnd, props: { ttfb: Math.round(nav.responseStart), dom: Math.round(nav.domContentLoadedEventEnd), fcp: paint ? Math.round(paint.startTime) : null, path: path(location.href) } });
  }
  function pageVitals() {
    if (vitals.told || !vitals.lcp) return;
    vitals.told = true;
    record("vital", { code: "LCP", ms: vitals.lcp, props: { dwell_ms: Math.round(performance.now()), path: path(location.href) } });
  }

  /* --- the page's life ------------------------------------------------------------------------------------------ */
  function hidden() { pageVitals(); leave(); }
  function gone() {
    leaving = Date.now();
    if (task && leaving - moved > 2000) abandon();
    hidden();
  }
  function routed() {
    alive = Date.now();
    if (told.touchpoint && path(location.href) !== routed.last) record("view", { touchpoint: told.touchpoint, props: { path: path(location.href) } });
    routed.last = path(location.href);
  }
  function watch() {
    var listen = function (target, names, f) { names.split(" ").forEach(function (name) { target.addEventListener(name, quietly(f), { capture: true, passive: true }); }); };
    page = told.touchpoint || "";
    if (!page && (page = document.querySelector("[data-hs-touchpoint]"))) page = page.dataset.hsTouchpoint;
    if (told.province) context.province = told.province;
    task = read("sessionStorage", TASK) || undefined;
    if (task && Date.now() - task.at > IDLE) task = undefined;
    listen(document, "pointerdown input change submit click", touched);
    listen(document, "input change", function () { alive = Date.now(); });
    if (told.clicks !== "off") listen(document, "click", clicked);
    if (told.errors !== "off") {
      listen(window, "error", function (e) {
        if (e.message) fault((e.error && e.error.name) || "Error", e.message, { source: path(e.filename), line: e.lineno });
        else if (e.target && e.target.tagName && e.target !== me) fault("RESOURCE", path(e.target.src || e.target.href), { target: named(e.target) });
      });
      listen(window, "unhandledrejection", function (e) { fault((e.reason && e.reason.name) || "Rejection", (e.reason && e.reason.message) || e.reason); });
    }
    if (told.network !== "off") watchRequests();
    listen(window, "pagehide", gone);
    listen(window, "pageshow", function () { leaving = 0; });
    listen(document, "visibilitychange", function () { if (document.hidden) hidden(); });
    listen(window, "online", function () { retryAt = 0; plan(0); });
    listen(window, "popstate hashchange", routed);
    ["pushState", "replaceState"].forEach(function (name) {
      var plain = history[name];
      history[name] = function () { var done = plain.apply(this, arguments); quietly(routed)(); return done; };
    });
    new MutationObserver(quietly(function (list) {
      alive = Date.now();
      list.forEach(function (change) { change.addedNodes.forEach(find); if (change.type === "attributes") find(change.target); });
    })).observe(document.documentElement, { childList: true, subtree: true, characterData: true, attributes: true });
    find(document.documentElement);
    routed();
    observe("largest-contentful-paint", function (e) { vitals.lcp = Math.round(e.startTime); });
    var timed = function () { setTimeout(quietly(timing), 0); };
    if (document.readyState === "complete") timed(); else listen(window, "load", timed);
  }

  /* --- configuration, calls ------------------------------------------------------------------------------------- */
  function stop(why) { stopped = why; queue = []; clearTimeout(timer); say("stopped:", why); }
  function isDrawn(share) { // sticky: a device is in or out, whatever page it is on
    var known = device(), hash = 0;
    for (var i = 0; i < known.length; i++) hash = (hash * 31 + known.charCodeAt(i)) >>> 0;
    return hash / 4294967296 < share;
  }
  function configured(found) {
    config = found || {};
    if (config.enabled === false) stop("switched off");
    else if (config.sample < 1 && !isDrawn(config.sample)) stop("not in the sample");
    ready = true;
    plan(queue.length >= BATCH ? 0 : WAIT / 2);
  }
  function configure() {
    var known = read("sessionStorage", CONFIG);
    if (known && known.site === site && Date.now() - known.at < 3e5) return configured(known.config);
    var late = setTimeout(quietly(function () { if (!ready) configured(); }), 3000); // slow or down: go on without
    plainFetch(endpoint + "/collect/v1/config?site=" + encodeURIComponent(site), { credentials: "omit", referrerPolicy: "origin" })
      .then(function (answer) { return answer.ok ? answer.json() : null; })
      .then(quietly(function (found) {
        clearTimeout(late);
        if (found) write("sessionStorage", CONFIG, { site: site, at: Date.now(), config: found });
        configured(found);
      }), quietly(function () { clearTimeout(late); configured(); }));
  }
  var begun;
  function begin() {
    if (begun || !isAllowed()) return;
    begun = true;
    watch();
    restore();
    configure();
    if (read("sessionStorage", "hs_survey")) widget(); // a survey under way goes on at this page
  }
  var calls = {
    start: start, step: step,
    success: function (more) { end("success", more); },
    fail: function (name, more) { end("fail", Object.assign({ code: name || "FAIL" }, more)); },
    view: function (touchpoint, more) { record("view", Object.assign({}, more, { touchpoint: touchpoint })); },
    event: function (name, more) { record("custom", Object.assign({ code: name }, more)); },
    identify: function (who) { customer = who && who.id && who.sig ? { id: String(who.id), ts: who.ts, sig: String(who.sig) } : undefined; },
    context: function (facts) { Object.assign(context, facts); },
    consent: function (yes) {
      kept(CONSENT, yes ? "yes" : "no");
      if (yes) { stopped = ""; begin(); } else { stop("no consent"); [QUEUE, SESSION, DEVICE].forEach(function (key) { delete memory[key]; write("localStorage", key, null); write("sessionStorage", key, null); }); }
    },
    debug: function (off) {
      debugging = off !== false;
      write("sessionStorage", "hs_debug", debugging || null);
      say("site", site, "service", endpoint, "session", isAllowed() ? session() : "none", "task", task, "waiting", queue.length, "config", config, stopped || (isAllowed() ? "recording" : NOT_ALLOWED));
    }
  };
  var call = quietly(function (words) { var f = calls[words[0]]; if (f) f.apply(null, [].slice.call(words, 1)); else say("unknown call", words[0]); });
  var waiting = (window.hs && window.hs.q) || [];
  window.hs = function () { call(arguments); };
  window.hsProbe = { site: site, endpoint: endpoint };
  waiting.filter(function (w) { return /^(consent|debug|context|identify)$/.test(w[0]); }).forEach(call);
  quietly(begin)();
  waiting.filter(function (w) { return !/^(consent|debug|context|identify)$/.test(w[0]); }).forEach(call);
})();
