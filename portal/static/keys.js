// Keys for people who prefer them, and copy buttons. Everything here has a way without it.
(() => {
  const writing = (target) => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  const rows = () => [...document.querySelectorAll(".list tbody td:first-child a, a[data-row]")];

  function step(by) {
    const links = rows();
    const here = links.indexOf(document.activeElement);
    links[Math.max(0, Math.min(links.length - 1, here < 0 ? (by > 0 ? 0 : links.length - 1) : here + by))]?.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") document.querySelector("[data-search], [role=search] select, [role=search] input")?.focus();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "?") document.getElementById("keys")?.showModal();
    else return;
    event.preventDefault();
  });

  // A list's bar of actions says how many are selected, and offers to select all.
  for (const all of document.querySelectorAll("[data-all]")) {
    const boxes = () => [...document.querySelectorAll(`input[name="${all.dataset.all}"][type=checkbox]`)];
    const count = document.querySelector(`[data-count="${all.dataset.all}"]`);
    const words = count.textContent;
    const tell = () => {
      const chosen = boxes().filter((box) => box.checked).length;
      count.textContent = chosen ? `With the ${chosen} selected:` : words;
    };
    all.hidden = false;
    all.querySelector("input").addEventListener("change", (event) => {
      for (const box of boxes()) box.checked = event.target.checked;
      tell();
    });
    document.addEventListener("change", (event) => event.target.name === all.dataset.all && tell());
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
    });
  }
})();
