// Keyboard first. j and k move through a list of cases; a key named by data-key goes to that link, field or choice; ?
// shows the list. Single keys can be switched off (WCAG 2.1.4): the choice is kept in this browser and nowhere else.
(function () {
  "use strict";
  var STORE = "gatehouse-keys";
  var box = document.getElementById("keys-on");

  function on() {
    try { return localStorage.getItem(STORE) !== "off"; } catch (error) { return true; }
  }
  function typing(target) {
    if (target.tagName === "INPUT") return !/^(radio|checkbox|file|submit|button)$/.test(target.type);
    return /^(TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable;
  }
  function go(element) {
    element.focus();
    if (!typing(element)) element.click();
  }
  function step(forward) {
    var links = Array.prototype.slice.call(document.querySelectorAll("a.gh-case-link"));
    if (!links.length) return;
    var at = links.indexOf(document.activeElement);
    links[forward ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0)].focus();
  }

  if (box) {
    box.checked = on();
    box.addEventListener("change", function () {
      try { localStorage.setItem(STORE, box.checked ? "on" : "off"); } catch (error) { /* kept for this page only */ }
    });
  }
  // The label of the answer is the question of the decision that is chosen.
  var label = document.getElementById("reason-label");
  Array.prototype.forEach.call(document.querySelectorAll("input[data-question]"), function (choice) {
    function ask() { if (label && choice.checked) label.textContent = choice.dataset.question; }
    choice.addEventListener("change", ask);
    ask();
  });
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target) || (box ? !box.checked : !on())) return;
    if (event.key === "j" || event.key === "k") { step(event.key === "j"); return; }
    var found = document.querySelector('[data-key="' + CSS.escape(event.key) + '"]:not([disabled])');
    if (found) { event.preventDefault(); go(found); }
  });
})();
