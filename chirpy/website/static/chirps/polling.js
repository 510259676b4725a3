/** Repeat a request while the page is visible. A request ends immediately, so no page holds a thread. */

const EVERY = 1500; // milliseconds: what is new is shown within 2 seconds
const LONGEST = 30_000; // after many failures

/** Call `task` again and again; after a failure wait longer. Return a function that calls it now. */
export function poll(task) {
  let wait = EVERY;
  let timer = 0;
  let current = Promise.resolve();

  async function turn() {
    try {
      await task();
      wait = EVERY;
    } catch (failure) {
      wait = Math.max(Math.min(wait * 2, LONGEST), 1000 * (failure.retryAfter ?? 0));
    }
  }

  function next() {
    clearTimeout(timer);
    if (document.hidden) return current;
    current = current.then(turn).then(() => {
      clearTimeout(timer);
      timer = setTimeout(next, wait);
    });
    return current;
  }

  document.addEventListener("visibilitychange", next);
  next();
  return next;
}
