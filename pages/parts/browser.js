// What the front end of Streamlit leaves open in the browser. Put into the page by pages/parts/browser.py.
(() => {
  const LANGUAGES = __LANGUAGES__;
  const MARKER = "__MARKER__";

  // The language of the texts, for screen readers: address, else browser, else English, as the server chooses it.
  const say = () => {
    const own = (navigator.language || "").slice(0, 2).toLowerCase();
    const asked = new URLSearchParams(location.search).get("lang");
    document.documentElement.lang = [asked, own].find((one) => LANGUAGES.includes(one)) || LANGUAGES[0];
  };

  // A page is opened by its plain address and then writes its inputs into it: one step of the history, not two.
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const target = new URL(url ?? location.href, location.href);
    const isPlain = !new URLSearchParams(location.search).has(MARKER);
    const step = isPlain && target.pathname === location.pathname ? history.replaceState.bind(history) : push;
    step(state, title, url);
    say();
  };

  // On a phone the list of pages lies over the page: it closes when one is chosen.
  addEventListener("click", (event) => {
    if (innerWidth <= 768 && event.target.closest?.("[data-testid=stSidebarNavLink]")) {
      setTimeout(() => document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click());
    }
  });
  addEventListener("popstate", say);
  say();
})();
