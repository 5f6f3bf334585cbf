// SPDX-License-Identifier: MIT
/** Heat of the lines of a file: from the capture's own stacks, whatever the granularity. */
import type { State } from '../app/state.js';
import type { Capture } from '../data/capture.js';
import type { Shown } from './shown.js';

export interface LineHeat {
	readonly self: ReadonlyMap<number, number>; // line -> weight of samples whose leaf it is
	readonly total: ReadonlyMap<number, number>; // that have it anywhere; recursion counts once
	readonly beforeSelf: ReadonlyMap<number, number> | null;
	readonly beforeTotal: ReadonlyMap<number, number> | null;
}

/** Of a file (row in strings), for the samples that the state selects and no transform drops. */
export function lineHeat(capture: Capture, shown: Shown, state: State, file: number): LineHeat {
	throw new Error(`not yet: ${capture.title} ${shown.leftOut} ${state.view} ${file}`);
}

/** Files with samples: the rows in strings, the heaviest self time first, with self and total. */
export function fileHeat(
	capture: Capture,
	shown: Shown,
	state: State,
): { file: number; self: number; total: number }[] {
	throw new Error(`not yet: ${capture.title} ${shown.leftOut} ${state.view}`);
}
