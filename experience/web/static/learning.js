// The correction queue: a palette chooses a topic or an intent by one key, and the focus goes along from card to card.
(function () {
  "use strict";

  function form() { return document.querySelector(".queue-form"); }

  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-palette]"), choice = event.target.closest("[data-choice]");
    if (opener) document.getElementById(opener.dataset.palette).showModal();
    if (choice && form()) {
      form().elements[choice.dataset.choice].value = choice.value;
      choice.closest("dialog").close();
      form().elements[choice.dataset.choice].classList.add("is-set");
    }
  });
  document.addEventListener("keydown", function (event) {
    var sheet = document.querySelector("dialog.palette[open]");
    if (!sheet || event.ctrlKey || event.metaKey || event.altKey) return;
    var choice = sheet.querySelector('[data-palette-key="' + CSS.escape(event.key.toLowerCase()) + '"]');
    if (choice) { event.preventDefault(); event.stopPropagation(); choice.click(); }
  }, true);
  document.addEventListener("htmx:load", function (event) { if (event.detail.elt.id === "queue-card") event.detail.elt.focus(); });
})();
