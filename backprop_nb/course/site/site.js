// The theme that a reader has chosen, before anything is seen; and what needs the whole page.

const root = document.documentElement;

function stored(value) {
  try {
    if (value !== undefined) localStorage.setItem("backprop-theme", value);
    return localStorage.getItem("backprop-theme") ?? "";
  } catch {
    return value ?? ""; // a browser may keep nothing for a page from the disk
  }
}

function follow(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
}

follow(stored());

document.addEventListener("DOMContentLoaded", () => {
  const label = document.querySelector(".theme");
  const choice = label.querySelector("select");
  label.hidden = false;
  choice.value = stored();
  choice.addEventListener("change", () => follow(stored(choice.value)));
  // What is too wide can be reached by keyboard.
  for (const wide of document.querySelectorAll("main pre, main .formula, main .table")) {
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
  }
});
