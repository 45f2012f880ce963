// Which keys a view keeps to itself.  Whatever goes on to the page is the host's: there Ctrl+S saves
// a notebook, and in JupyterLab's command mode a single letter changes its cells.

export const ARROW_KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const SCROLLING = [...ARROW_KEYS, "Home", "End", "PageUp", "PageDown"];
const EDITING = [...SCROLLING, "Backspace", "Delete"];

/** Whether a key that is pressed stands for a character, be it on its way to one as "Dead" is. */
const isCharacter = (key) => [...key].length === 1 || key === "Dead";

/** Whether a modifier makes a command out of a key; AltGr, or Shift, makes but another character. */
const isCommand = (event) =>
  (event.ctrlKey || event.metaKey || event.altKey) && !event.getModifierState("AltGraph");

/** Whether a key is pressed by itself, so that it can mean something to a view. */
export const isPlain = (event) => !isCommand(event) && (isCharacter(event.key) || !event.shiftKey);

/**
 * Whether a key means something to the element that has the focus, as the browser sees it: a slider
 * has its arrows, a text its Ctrl+Z.  Letters stay in the view even where they mean nothing.
 */
export function isKept(event) {
  const { key, target } = event;
  const { tagName, type } = target;
  const isRange = type === "range";
  const isText = tagName === "INPUT" && !isRange && type !== "radio";
  if (isText && (EDITING.includes(key) || isClipboard(event))) return true;
  if (isCommand(event)) return false;
  if (isCharacter(key)) return true;
  if (isRange || tagName === "SELECT") return SCROLLING.includes(key);
  if (type === "radio") return ARROW_KEYS.includes(key);
  if (tagName === "BUTTON" || tagName === "SUMMARY") return key === "Enter" && !event.shiftKey;
  return SCROLLING.includes(key) && !event.shiftKey && scrolls(target, key);
}

const isClipboard = ({ key, ctrlKey, metaKey, altKey, shiftKey }) =>
  (ctrlKey || metaKey) && !altKey && (shiftKey ? "z" : "acvxyz").includes(key.toLowerCase());

/** Whether there is something to scroll in the direction of a key. */
function scrolls(element, key) {
  const [axis, size] = /Left|Right/.test(key) ? ["X", "Width"] : ["Y", "Height"];
  const hides = element[`scroll${size}`] > element[`client${size}`];
  return hides && /auto|scroll/.test(getComputedStyle(element)[`overflow${axis}`]);
}
