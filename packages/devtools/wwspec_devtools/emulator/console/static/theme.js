// The theme that was chosen, set before the page is drawn. A plain script: modules run later.
// @ts-check
{
    const kept = localStorage.getItem("wwspec-theme");
    if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
}
