// Small behaviour shared by staff pages: theme, dialogs, filters, saved views, picking rows, drafts, toasts.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js");

  function stored(key, value) {
    try {
      if (value === undefined) return localStorage.getItem(key);
      if (value === null) localStorage.removeItem(key); else localStorage.setItem(key, value);
    } catch (e) { /* storage may be off: the page works without it */ }
    return null;
  }

  function toast(words, bad) {
    var box = document.getElementById("toasts"), line = document.createElement("div");
    if (!box || !words) return;
    line.className = "toast-line" + (bad ? " is-bad" : "");
    line.textContent = words;
    box.appendChild(line);
    setTimeout(function () { line.remove(); }, bad ? 8000 : 4000);
  }

  document.addEventListener("click", function (event) {
    var hit = event.target.closest("[data-opens],[data-closes],[data-theme-switch],[data-view-save],[data-view-drop],[data-copies]");
    if (!hit) return;
    if (hit.dataset.opens) {
      var sheet = document.getElementById(hit.dataset.opens);
      if (sheet) { sheet.showModal(); var first = sheet.querySelector("textarea,input:not([type=hidden]),select"); if (first) first.focus(); }
    } else if (hit.hasAttribute("data-closes")) {
      hit.closest("dialog").close();
    } else if (hit.hasAttribute("data-theme-switch")) {
      var next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      root.setAttribute("data-bs-theme", next);
      stored("hs-theme", next);
      document.dispatchEvent(new CustomEvent("hs:theme"));
    } else if (hit.hasAttribute("data-view-save")) saveView(hit.closest("[data-views]"));
    else if (hit.dataset.viewDrop) dropView(hit.closest("[data-views]"), hit.dataset.viewDrop);
    else if (hit.dataset.copies && navigator.clipboard) navigator.clipboard.writeText(hit.dataset.copies);
  });

  // Notices open beside the page; without scripts the same link leads to their page.
  document.addEventListener("click", function (event) {
    var bell = event.target.closest("[data-drawer]"), drawer = document.getElementById("drawer");
    if (!bell || !drawer || event.ctrlKey || event.metaKey || !window.htmx) return;
    event.preventDefault();
    htmx.ajax("GET", "/notices/menu", { target: "#drawer", swap: "innerHTML" }).then(function () { if (!drawer.open) drawer.showModal(); });
  });
  document.addEventListener("click", function (event) { if (event.target.matches("dialog.drawer")) event.target.close(); });

  // Filters submit as soon as they are changed, without empty parameters in the address.
  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
    if (event.target.matches("[data-pick],[data-pick-all]")) picked(event.target);
  });
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.matches("[data-filters]")) form.querySelectorAll("input,select").forEach(function (f) { if (!f.value) f.disabled = true; });
    else if (form.method === "post") { // a second press of a slow button must not send twice
      setTimeout(function () { if (!form.hasAttribute("hx-post")) form.querySelectorAll("button").forEach(function (b) { b.disabled = true; }); }, 0);
    }
  });
  addEventListener("pageshow", function () {
    document.querySelectorAll("[data-filters] :disabled, form button:disabled:not([data-locked])").forEach(function (f) { f.disabled = false; });
  });

  // On a phone the filters fold away unless one is set.
  if (matchMedia("(max-width: 767px)").matches) document.querySelectorAll("[data-folds]").forEach(function (d) { d.open = !!d.querySelector(".is-set"); });

  // Saved views of a list: name -> query string, kept in this browser.
  function views(box) { try { return JSON.parse(stored("hs-views-" + box.dataset.views) || "{}"); } catch (e) { return {}; } }
  function drawViews(box) {
    var kept = views(box);
    box.textContent = "";
    Object.keys(kept).forEach(function (name) {
      var chip = document.createElement("span"), link = document.createElement("a"), drop = document.createElement("button");
      chip.className = "view-chip" + (kept[name] === location.search ? " is-here" : "");
      link.href = location.pathname + kept[name]; link.textContent = name;
      drop.type = "button"; drop.textContent = "×"; drop.dataset.viewDrop = name; drop.title = box.dataset.wordsDrop;
      chip.append(link, drop); box.append(chip);
    });
    if (location.search && !Object.keys(kept).some(function (n) { return kept[n] === location.search; })) {
      var save = document.createElement("button");
      save.type = "button"; save.className = "btn btn-sm btn-ghost"; save.setAttribute("data-view-save", ""); save.textContent = box.dataset.wordsSave;
      box.append(save);
    }
  }
  function saveView(box) {
    var name = prompt(box.dataset.wordsName), kept = views(box);
    if (!name) return;
    kept[name.slice(0, 20)] = location.search;
    stored("hs-views-" + box.dataset.views, JSON.stringify(kept));
    drawViews(box);
  }
  function dropView(box, name) { var kept = views(box); delete kept[name]; stored("hs-views-" + box.dataset.views, JSON.stringify(kept)); drawViews(box); }
  document.querySelectorAll("[data-views]").forEach(drawViews);

  // Picking rows opens the bar of bulk actions.
  function picked(box) {
    var form = box.closest("form,[data-picks]") || document;
    if (box.matches("[data-pick-all]")) form.querySelectorAll("[data-pick]").forEach(function (b) { b.checked = box.checked; });
    var n = form.querySelectorAll("[data-pick]:checked").length, bar = form.querySelector(".bulk");
    if (bar) { bar.classList.toggle("is-open", n > 0); var count = bar.querySelector("[data-count]"); if (count) count.textContent = n; }
  }

  // What was typed in a form marked data-draft survives a reload, a lost session and a refused act.
  document.querySelectorAll("form[data-draft]").forEach(function (form) {
    var key = "hs-draft-" + form.dataset.draft;
    try {
      var kept = JSON.parse(sessionStorage.getItem(key) || "{}");
      Object.keys(kept).forEach(function (name) { var f = form.elements[name]; if (f && !f.value && f.type !== "hidden") f.value = kept[name]; });
    } catch (e) { /* a broken draft is no draft */ }
    form.addEventListener("input", function () {
      var typed = {};
      Array.prototype.forEach.call(form.elements, function (f) { if (f.name && f.tagName === "TEXTAREA" && f.value) typed[f.name] = f.value; });
      try { sessionStorage.setItem(key, JSON.stringify(typed)); } catch (e) { /* full or off */ }
    });
  });
  document.querySelectorAll("[data-draft-done]").forEach(function (n) { try { sessionStorage.removeItem("hs-draft-" + n.dataset.draftDone); } catch (e) { /* off */ } });

  // A form opened in its row takes the focus; Escape or the button takes it away again.
  document.addEventListener("htmx:load", function (event) {
    var open = event.detail.elt.closest && event.detail.elt.closest(".desk-open"), first = open && open.querySelector("select,textarea,input:not([type=hidden])");
    if (first) first.focus();
  });
  document.addEventListener("click", function (event) { var b = event.target.closest("[data-empties]"); if (b) b.closest(".desk-slot").textContent = ""; });

  // htmx: send the CSRF token, show refusals as toasts, never swallow one.
  document.addEventListener("htmx:configRequest", function (event) {
    event.detail.headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content;
    var by = event.detail.triggeringEvent && event.detail.triggeringEvent.submitter; // htmx overlooks a button outside its form
    if (by && by.name && !event.detail.parameters[by.name]) event.detail.parameters[by.name] = by.value;
  });
  document.addEventListener("htmx:responseError", function (event) {
    var xhr = event.detail.xhr;
    var said = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector("main h1, main .note-bad, main .note-warn");
    toast(said ? said.textContent.trim() : xhr.status + " " + xhr.statusText, true);
  });
  document.addEventListener("htmx:sendError", function () { toast(document.documentElement.lang.indexOf("en") === 0 ? "Network unreachable; nothing was changed." : "网络不通，未作任何改动，请重试。", true); });
  document.addEventListener("hs:toast", function (event) { toast(event.detail.words || event.detail.value, event.detail.bad); });
  window.hsToast = toast;
})();
