// SPDX-License-Identifier: MIT
/** What each function of the shown tables took. */
import type { Shown } from './shown.js';

/** By function of the shown tables; recursion counts once in total. */
export interface FunctionSums {
	readonly self: Float64Array;
	readonly total: Float64Array;
	readonly beforeSelf: Float64Array | null; // of the other side of a comparison
	readonly beforeTotal: Float64Array | null;
}

export function functionSums(shown: Shown): FunctionSums {
	throw new Error(`not yet: ${shown.leftOut}`);
}
