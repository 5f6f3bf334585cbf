// SPDX-License-Identifier: MIT
/** From a state to what is shown of a capture; see shown.ts. */
import type { State } from '../app/state.js';
import type { Capture } from '../data/capture.js';
import type { Shown } from './shown.js';

/** Keeps what a change of the state leaves valid: tables, stacks per transform, weights per range. */
export class Shower {
	constructor(
		readonly capture: Capture,
		readonly baseline: Capture | null,
	) {}

	show(state: State): Shown {
		throw new Error(`not yet: ${state.view}`);
	}
}
