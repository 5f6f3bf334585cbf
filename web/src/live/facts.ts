// SPDX-License-Identifier: MIT
/** What a recording that goes on says of itself, as it is true for the part of it that is kept. */

type Facts = ReadonlyMap<string, string>;

/** The facts of a piece, which ended then. */
export interface Told {
	readonly endNs: number;
	readonly facts: Facts;
}

/** Counted from the beginning of the recording. */
const COUNTS = /^(ticks|rung\..*)$/;

/** True for a piece, but not for what is made of many. */
const OF_PIECES = /^(live_(from|to)_ns|left_out|selection|dropped)$/;

/** Leaves out what no later answer needs. */
export function forgetFacts(told: Told[], sinceNs: number): void {
	while (told.length > 1 && told[1].endNs <= sinceNs) told.shift();
}

/**
 * Counts are those since `sinceNs`: the difference to what was told then. They are left out if
 * nobody told.
 */
export function factsSince(told: readonly Told[], sinceNs: number): Facts {
	const facts = told.at(-1)?.facts ?? new Map<string, string>();
	const [first] = told;
	const begins = sinceNs <= 0 && Number(first?.facts.get('dropped') ?? 0) === 0;
	const base = first && first.endNs <= sinceNs ? first.facts : null;
	const now = new Map<string, string>();
	for (const [key, value] of facts) {
		if (OF_PIECES.test(key)) continue;
		if (begins || !COUNTS.test(key)) now.set(key, value);
		else if (base) now.set(key, String(Math.max(0, Number(value) - Number(base.get(key) ?? 0))));
	}
	return now;
}
