// SPDX-License-Identifier: MIT
/** What each function of the shown tables took. */
import { outermostFunctions } from './forest.js';
import type { Shown, Side } from './shown.js';

/** By function of the shown tables; recursion counts once in total. */
export interface FunctionSums {
	readonly self: Float64Array;
	readonly total: Float64Array;
	readonly beforeSelf: Float64Array | null; // of the other side of a comparison
	readonly beforeTotal: Float64Array | null;
}

function sumSide(shown: Shown, side: Side): { self: Float64Array; total: Float64Array } {
	const { funcCount, stackCount } = shown.tables;
	const { func, outermost } = outermostFunctions(shown.tables);
	const self = new Float64Array(funcCount);
	const total = new Float64Array(funcCount);
	for (let s = 0; s < stackCount; s++) {
		self[func[s]] += side.self[s];
		if (outermost[s] === 1) total[func[s]] += side.total[s];
	}
	return { self, total };
}

/** Walks the shown stacks once. */
export function functionSums(shown: Shown): FunctionSums {
	const now = sumSide(shown, shown.now);
	const before = shown.before && sumSide(shown, shown.before);
	return {
		...now,
		beforeSelf: before?.self ?? null,
		beforeTotal: before?.total ?? null,
	};
}
