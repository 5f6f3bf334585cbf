// SPDX-License-Identifier: MIT
/** How many samples come, by the clock of the recording: pieces may come late, and many at once. */

const OVER_NS = 5e9;

export interface Meter {
	/** A piece with so many samples, up to that time of the recording. */
	add(samples: number, endNs: number): void;
	perSecond(): number;
	/** Since there was one with any, by the clock of this machine. */
	silentMs(): number;
}

export function makeMeter(clock: () => number = Date.now): Meter {
	const pieces: { samples: number; endNs: number }[] = [];
	let last = clock();
	return {
		add(samples, endNs) {
			if (samples === 0) return;
			last = clock();
			pieces.push({ samples, endNs });
			// the first one only says where the second begins
			while (pieces.length > 2 && (pieces[1]?.endNs ?? 0) < endNs - OVER_NS) pieces.shift();
		},
		perSecond() {
			const [first] = pieces;
			const end = pieces.at(-1);
			if (!first || !end || end.endNs <= first.endNs) return 0;
			const samples = pieces.slice(1).reduce((sum, piece) => sum + piece.samples, 0);
			return (samples * 1e9) / (end.endNs - first.endNs);
		},
		silentMs: () => clock() - last,
	};
}
