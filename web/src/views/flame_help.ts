// SPDX-License-Identifier: MIT
/** Rows for the help overlay. */

export const FRAME_KEYS: readonly (readonly [string, string])[] = [
	['Right click, long press, Shift+F10', 'menu of a frame: focus, drop, merge, collapse, source'],
	['Double click, o', 'source of a frame'],
	['f p k x m r l', 'focus, path, keep, drop, merge, recursion, module: of the focused frame'],
	['u', 'undo the last of these'],
];

export const FLAME_HELP: readonly (readonly [string, string])[] = [
	['Click, Enter', 'zoom into a frame, and choose its function; or into what is pooled'],
	['Escape, Backspace', 'zoom out'],
	['Arrow keys, Home', 'move between frames'],
	['n, Shift+N', 'next and previous match of the search'],
	...FRAME_KEYS,
];
