// What the front end of Streamlit leaves open in the browser. Put into the page by pages/parts/browser.py.
(() => {
  const LANGUAGES = __LANGUAGES__;
  const MARKER = "__MARKER__";
  const RETURNED = "__RETURNED__";

  // The language of the texts, for screen readers: address, else browser, else English, as the server chooses it.
  let shown = location.search;
  const say = () => {
    shown = location.search;
    const own = (navigator.language || "").slice(0, 2).toLowerCase();
    const asked = new URLSearchParams(location.search).get("lang");
    document.documentElement.lang = [asked, own].find((one) => LANGUAGES.includes(one)) || LANGUAGES[0];
  };

  // A page is opened by its plain address and then writes its inputs into it, or, where both arrive together, writes
  // them before its path is there: one step of the history, not two.
  let burst = 0;
  let writtenIn;
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const target = new URL(url ?? location.href, location.href);
    const isPlain = !new URLSearchParams(location.search).has(MARKER);
    const isSamePath = target.pathname === location.pathname;
    const isOneStep = isSamePath ? isPlain : writtenIn === burst;
    writtenIn = isSamePath && !isOneStep ? burst : undefined;
    (isOneStep ? history.replaceState.bind(history) : push)(state, title, url);
    say();
  };

  // The server cannot tell an address that the reader went back to from one that comes late: it is told.
  addEventListener("popstate", () => {
    const address = new URL(location.href);
    if (address.search === shown) return;
    address.searchParams.set(RETURNED, "1");
    history.replaceState(history.state, "", address);
    say();
  });

  // On a phone the list of pages lies over the page: it closes when one is chosen.
  addEventListener("click", (event) => {
    if (innerWidth <= 768 && event.target.closest?.("[data-testid=stSidebarNavLink]")) {
      setTimeout(() => document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click());
    }
  });

  // Streamlit scrolls to what is new only on a page that opens at its end. What is being answered comes into view and
  // stays there while it grows, until it fills the window or the reader moves.
  addEventListener("animationstart", ({ animationName, target }) => {
    if (animationName !== "coming") return;
    const grows = new ResizeObserver(() => {
      target.scrollIntoView({ block: "nearest" });
      // Written to its end, it is drawn once more, as a turn of the conversation.
      if (!target.matches(".st-key-playground_coming")) setTimeout(() => grows.disconnect(), 1000);
    });
    grows.observe(target);
    for (const kind of ["wheel", "touchmove", "keydown"]) addEventListener(kind, () => grows.disconnect(), { once: true });
  });

  // The Stop of the toolbar ends a script without another run, so that an answer would stay half drawn: while one is
  // written, it is the page's own.
  addEventListener(
    "click",
    (event) => {
      const own = document.querySelector(".st-key-playground_stop_now button");
      if (!own || !event.target.closest?.("[data-testid=stStatusWidget] button")) return;
      event.stopPropagation();
      own.click();
    },
    true,
  );

  // Streamlit draws the whole page after every message that comes alone: what arrives together is handed over
  // together, in its order. (pages/parts/burst.py sends it so.) In a tab that is not looked at, timers are slow.
  const PAUSE_MS = 2;
  const FIRST_PAUSE_MS = 30; // of a visit's first run, whose page would move as its parts come
  const MOST = 100;
  const END_BYTES = 2; // "the script does not run", the last of a run, has no content
  const listen = WebSocket.prototype.addEventListener;
  WebSocket.prototype.addEventListener = function (type, listener, ...options) {
    if (type !== "message") {
      listen.call(this, type, listener, ...options);
      return;
    }
    const waiting = [];
    let timer;
    let isFirst = true;
    const handOver = () => {
      clearTimeout(timer);
      burst += 1;
      for (const message of waiting.splice(0)) listener.call(this, message);
    };
    const take = (message) => {
      clearTimeout(timer);
      const isEnd = message.data?.byteLength <= END_BYTES;
      const isMany = waiting.push(message) >= MOST && !isFirst;
      if (isMany || isEnd || document.hidden) handOver();
      else timer = setTimeout(handOver, isFirst ? FIRST_PAUSE_MS : PAUSE_MS);
      isFirst &&= !isEnd;
    };
    listen.call(this, "close", handOver);
    listen.call(this, "message", take, ...options);
  };

  say();
})();
