// The triager's keys on the stream of voices. Presses are sent one after the other in the order they were made, the next page follows by
// itself, and the place in the list is kept. keys.js moves; this file judges, undoes, chooses, announces and makes issues.
(function () {
  "use strict";
  var bar = document.querySelector("[data-triage]"), said = document.querySelector("[data-said]");
  var line = Promise.resolve(), queue = [], waiting = 0, undoable = [], judged = {}, choosing = null, following = null, wantsOn = false;
  var NEAR_END = 20, PLACE = "hs-voices-at";

  function byId(id) { return document.getElementById("v" + id); }
  function list() { return document.querySelector("[data-voices]"); }
  function announce(words) { if (said) { said.textContent = ""; said.textContent = words; } }
  function count() {
    if (!bar) return;
    bar.querySelector("[data-judged]").textContent = Object.keys(judged).length;
  }

  // One request at a time, in the order of the presses; what is pressed on a row while its turn has not come goes along.
  function send(id, path, values) {
    var last = queue[queue.length - 1];
    if (last && last.id === id && last.path === path) { Object.assign(last.values, values); return last.done; }
    var one = { id: id, path: path, values: values };
    queue.push(one);
    saving(1);
    one.done = line = line.then(function () { queue.shift(); return post(id, path, one.values); }).then(function (isKept) { saving(-1); return isKept; });
    return one.done;
  }
  function saving(more) { waiting += more; if (bar) bar.toggleAttribute("data-saving", waiting > 0); }
  function post(id, path, values) {
    var row = byId(id), isKept = false;
    if (!row) return false;
    function note(event) { if (event.detail.target && event.detail.target.id === "v" + id) isKept = event.detail.successful; }
    document.addEventListener("htmx:afterRequest", note);
    return htmx.ajax("POST", "/voices/" + id + path, { source: row, target: row, swap: "outerHTML", values: values })
      .catch(function () { /* app.js has told the reason */ })
      .then(function () { document.removeEventListener("htmx:afterRequest", note); if (!isKept && byId(id)) byId(id).classList.add("is-failed"); return isKept; });
  }

  function judge(id, values) {
    show(byId(id), values);
    return send(id, "/reading", values).then(function (isKept) {
      if (!isKept) return;
      undoable = undoable.filter(function (known) { return known !== id; }).concat(id);
      judged[id] = true;
      count();
      announce(bar.dataset.wordsKept + " " + (byId(id) ? byId(id).dataset.told : ""));
    });
  }
  function show(row, values) { // the press is seen at once; the server's row follows
    if (!row || !values.label) return;
    row.querySelectorAll(".fix[name=label]").forEach(function (b) { b.classList.toggle("is-on", b.value === values.label); });
  }
  function undo() { // the voice judged last; after a reload, the one the keyboard is at
    var current = hsRows.current(), id = undoable.pop() || current && current.matches(".is-judged") && current.id.slice(1);
    if (!id) { announce(bar.dataset.wordsNothing); return; }
    delete judged[id];
    count();
    if (byId(id)) hsRows.go(byId(id));
    send(id, "/reading/undo", {}).then(function (isKept) { if (isKept) announce(bar.dataset.wordsUndone + " " + byId(id).dataset.told); });
  }

  document.addEventListener("click", function (event) {
    var fix = event.target.closest("[data-judges] .fix"), choice = event.target.closest("[data-choice]");
    if (event.target.closest("[data-undoes]")) undo();
    else if (choice) choose(choice);
    else if (fix) { event.preventDefault(); press(fix); }
  });
  function press(fix) {
    var id = fix.closest("[data-judges]").dataset.judges;
    if (fix.dataset.palette) { open(fix.dataset.palette, id); return; }
    if (!fix.hasAttribute("data-confirms")) { judge(id, { label: fix.value }); return; }
    judge(id, { confirms: "1" });
    on(byId(id));
  }
  function open(palette, id) { // the palette lies at the foot of the window; its row is moved out from under it
    var sheet = document.getElementById(palette), row = byId(id);
    choosing = id;
    sheet.showModal();
    if (row.getBoundingClientRect().bottom > sheet.getBoundingClientRect().top) row.scrollIntoView({ block: "center" });
  }
  function choose(choice) {
    var values = {};
    values[choice.dataset.choice] = choice.value;
    choice.closest("dialog").close();
    if (choosing) judge(choosing, values);
    choosing = null;
  }
  document.addEventListener("keydown", function (event) {
    var sheet = document.querySelector("dialog.palette[open]");
    if (!sheet || event.ctrlKey || event.metaKey || event.altKey) return;
    var choice = sheet.querySelector('[data-palette-key="' + CSS.escape(event.key.toLowerCase()) + '"]');
    if (choice) { event.preventDefault(); event.stopPropagation(); choice.click(); }
  }, true);

  // The next page follows before the last row is reached.
  function rows() { return list() ? Array.prototype.slice.call(list().querySelectorAll("[data-row]")) : []; }
  function on(row) {
    var all = rows();
    if (row && row === all[all.length - 1]) { wantsOn = true; more(); } else hsRows.move(1);
  }
  function more() {
    var pager = document.querySelector(".pager"), next = pager && pager.querySelector("a[rel=next]");
    if (following) return following;
    if (!next) { if (wantsOn && bar) announce(bar.dataset.wordsLast); wantsOn = false; return Promise.resolve(false); }
    following = fetch(next.href, { headers: { "HX-Request": "true" }, credentials: "same-origin" }).then(function (answer) {
      if (!answer.ok || answer.redirected) { location.assign(next.href); return ""; }
      return answer.text();
    }).then(function (html) {
      var page = new DOMParser().parseFromString(html, "text/html"), fresh = page.querySelectorAll("[data-voices] > [data-row]"), after = page.querySelector(".pager");
      following = null;
      fresh.forEach(function (row) { if (!document.getElementById(row.id)) list().append(document.adoptNode(row)); });
      if (after) pager.replaceWith(document.adoptNode(after)); else pager.remove();
      if (wantsOn) { wantsOn = false; if (fresh.length) hsRows.move(1); }
      return fresh.length > 0;
    }).catch(function () { following = null; wantsOn = false; document.dispatchEvent(new CustomEvent("htmx:sendError")); return false; });
    return following;
  }
  var before = null;
  document.addEventListener("hs:row", function (event) {
    var all = rows(), at = all.indexOf(event.target);
    if (at < 0) return;
    if (at === all.length - 1 && before === event.target) wantsOn = true; // j on the last row: go on as soon as there is more
    before = event.target;
    if (all.length - at <= NEAR_END || wantsOn) more();
    keep({ list: location.search, id: event.target.id });
  });

  // Coming back from a voice, or reloading, finds the row one was at.
  function keep(place) { try { sessionStorage.setItem(PLACE, JSON.stringify(place)); } catch (e) { /* off */ } }
  function kept() { try { return JSON.parse(sessionStorage.getItem(PLACE)); } catch (e) { return null; } }
  function isBack() {
    var entry = performance.getEntriesByType("navigation")[0];
    return entry && entry.type !== "navigate" || /\/(voices|issues)\/./.test(document.referrer);
  }
  function find(id, pages) {
    var row = document.getElementById(id);
    if (row) { hsRows.go(row); row.scrollIntoView({ block: "center" }); return; }
    if (pages) more().then(function (isMore) { if (isMore) find(id, pages - 1); });
  }
  var place = kept();
  if (place && place.list === location.search && list() && isBack()) find(place.id, 10);

  addEventListener("beforeunload", function (event) { if (waiting) event.preventDefault(); });

  // Making and joining issues. Fields of a closed dialog stay disabled, so that the two never send each other's fields.
  ["make-issue", "join-issue"].forEach(function (id) {
    var sheet = document.getElementById(id);
    if (!sheet) return;
    new MutationObserver(function () {
      sheet.querySelectorAll("input,select").forEach(function (f) { f.disabled = !sheet.open; });
      if (sheet.open) opened(sheet);
    }).observe(sheet, { attributes: true, attributeFilter: ["open"] });
  });
  function opened(sheet) {
    var current = hsRows.current(), pick = current && current.querySelector("[data-pick]"), first = sheet.querySelector("input,select");
    if (pick && !document.querySelector("[data-pick]:checked")) pick.click(); // with nothing picked the current row is meant
    if (sheet.id === "make-issue") suggest(sheet);
    else if (first.selectedIndex < 0) first.selectedIndex = 0;
    first.focus();
  }
  function common(values) { // the most frequent value that is not empty
    var counts = {}, best = "";
    values.forEach(function (v) { if (v) { counts[v] = (counts[v] || 0) + 1; if (!best || counts[v] > counts[best]) best = v; } });
    return best;
  }
  function suggest(sheet) {
    var picked = Array.prototype.map.call(document.querySelectorAll("[data-pick]:checked"), function (b) { return b.closest("[data-row]"); });
    var title = sheet.querySelector("[data-suggests-title]"), where = sheet.querySelector("[data-suggests-touchpoint]");
    var at = common(picked.map(function (r) { return r.dataset.touchpoint; }));
    if (!where.value) where.value = at;
    if (!title.value) {
      var option = where.options[where.selectedIndex];
      title.value = (at && option ? option.text + "：" : "") + common(picked.map(function (r) { return r.dataset.topic; }));
      title.select();
    }
  }
  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.target.matches("#join-issue select")) { event.preventDefault(); event.target.form.requestSubmit(); }
  });
  document.addEventListener("submit", function (event) { // judgements still on their way go first
    if (event.target.id !== "picks" || !waiting) return;
    var form = event.target, by = event.submitter;
    event.preventDefault();
    event.stopPropagation();
    line.then(function () { form.requestSubmit(by); });
  }, true);
  document.addEventListener("hs:picked", function () { // the rows are there anew, with their issue
    document.querySelectorAll("#make-issue,#join-issue").forEach(function (sheet) { sheet.querySelectorAll("input").forEach(function (f) { f.value = ""; }); sheet.close(); });
    var pick = document.querySelector("[data-pick]"), current = hsRows.current();
    if (pick) pick.dispatchEvent(new Event("change", { bubbles: true }));
    if (current) hsRows.go(current);
  });
})();
