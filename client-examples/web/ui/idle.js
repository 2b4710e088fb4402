/** Whether anybody uses this page: without any input for some minutes, nobody does. */

const AFTER = 5 * 60_000; // ms
const INPUT = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

/** @param {(idle: boolean) => void} tell   told at each input, and once when there was none */
export function watchIdleness(tell) {
  let timer;
  const awake = () => {
    clearTimeout(timer);
    timer = setTimeout(() => tell(true), AFTER);
    tell(false);
  };
  for (const name of INPUT) addEventListener(name, awake, { capture: true, passive: true });
  // To turn to the page is to use it. (Not caught on their way down: inside of the page the focus
  // moves without anybody, too.)
  addEventListener("focus", awake);
  document.addEventListener("visibilitychange", () => document.hidden || awake());
  awake();
}
