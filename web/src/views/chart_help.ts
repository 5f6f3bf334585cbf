// SPDX-License-Identifier: MIT
/** Words of the flame chart for screen readers and for the help overlay. */
import { FRAME_KEYS } from './flame_help.js';

export const chartLabel =
	'Flame chart. Left and right move between calls, up and down along the stack, Enter zooms to ' +
	'a call, plus and minus zoom, Shift F10 opens the menu.';

export const chartHelp: readonly (readonly [string, string])[] = [
	['Click', 'select the sample'],
	['Drag, Shift + wheel, Page Up, Page Down', 'move in time'],
	['Ctrl + wheel, pinch, + −', 'zoom in time'],
	['Enter', 'zoom to the focused call'],
	['Escape, Backspace', 'show all of the range again'],
	['Arrow keys, Home', 'move between calls'],
	...FRAME_KEYS,
];
