// SPDX-License-Identifier: MIT
/** The state in the fragment of the address. */
import type { State } from './state.js';

/** What differs from INITIAL, as "view=table&mode=cpu&..."; "" if nothing does. */
export function writeState(state: State): string {
	throw new Error(`not yet: ${state.view}`);
}

/** The other way round; anything that is not understood is left at INITIAL. Never throws. */
export function readState(fragment: string): State {
	throw new Error(`not yet: ${fragment}`);
}
