// SPDX-License-Identifier: MIT
/** Colours of frames and states, for light and dark; CSS variables of style/main.css say the same. */
import type { Colouring } from '../app/state.js';
import type { ShownTables } from '../model/shown.js';

export interface Theme {
	readonly dark: boolean;
	readonly back: string;
	readonly text: string;
	readonly faint: string; // grid, borders
	readonly accent: string; // selection
	readonly match: string; // of a search
	readonly common: string; // the common base with the selected sample
	readonly states: { readonly running: string; readonly runnable: string; readonly waiting: string;
		readonly gilHeld: string; readonly gilWait: string; readonly gc: string; readonly lost: string;
		readonly unknown: string };
}

export function currentTheme(): Theme {
	throw new Error('not yet');
}

/** Fill of a function's boxes. The same name has the same colour in every view and every page. */
export function functionColour(theme: Theme, tables: ShownTables, func: number, how: Colouring): string {
	throw new Error(`not yet: ${theme.dark} ${tables.funcCount} ${func} ${how}`);
}

/** For diffs: share now minus share before (-1 .. 1): red more, blue less, grey the same. */
export function differenceColour(theme: Theme, difference: number): string {
	throw new Error(`not yet: ${theme.dark} ${difference}`);
}
