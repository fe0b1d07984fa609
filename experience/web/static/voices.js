// The stream of voices: the dialog that makes an issue suggests its title; the topic dialog corrects one row.
(function () {
  "use strict";
  var fixing = null;

  function common(values) { // the most frequent value that is not empty
    var counts = {}, best = "";
    values.forEach(function (v) { if (v) { counts[v] = (counts[v] || 0) + 1; if (!best || counts[v] > counts[best]) best = v; } });
    return best;
  }

  // Fields of a closed dialog stay disabled, so that making and joining never send each other's fields.
  ["make-issue", "join-issue"].forEach(function (id) {
    var sheet = document.getElementById(id);
    if (!sheet) return;
    new MutationObserver(function () {
      sheet.querySelectorAll("input,select").forEach(function (f) { f.disabled = !sheet.open; });
      if (sheet.open && id === "make-issue") suggest(sheet);
      if (sheet.open) { var first = sheet.querySelector("input,select"); if (first) first.focus(); }
    }).observe(sheet, { attributes: true, attributeFilter: ["open"] });
  });

  function suggest(sheet) {
    var rows = Array.prototype.map.call(document.querySelectorAll("[data-pick]:checked"), function (b) { return b.closest("[data-row]"); });
    var title = sheet.querySelector("[data-suggests-title]"), place = sheet.querySelector("[data-suggests-touchpoint]");
    var at = common(rows.map(function (r) { return r.dataset.touchpoint; }));
    if (!place.value) place.value = at;
    if (!title.value) {
      var option = place.options[place.selectedIndex];
      title.value = (at && option ? option.text + "：" : "") + common(rows.map(function (r) { return r.dataset.topic; }));
      title.select();
    }
  }

  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-fix-topic]"), chosen = event.target.closest("[data-topic-code]");
    if (opener) { fixing = opener.dataset.fixTopic; document.getElementById("fix-topic").showModal(); }
    if (chosen && fixing) {
      document.getElementById("fix-topic").close();
      htmx.ajax("POST", "/voices/" + fixing + "/reading", { target: "#v" + fixing, swap: "outerHTML", values: { topic: chosen.dataset.topicCode } });
    }
  });
})();
