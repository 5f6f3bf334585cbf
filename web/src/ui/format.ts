// SPDX-License-Identifier: MIT
/** Numbers for people. */
import type { Unit } from '../app/state.js';

/** "1.24 s", "830 ms", "12.5 us" (with the micro sign): three digits that count, at most "12 h 30 min". */
export function formatTime(ns: number): string {
	throw new Error(`not yet: ${ns}`);
}

/** "12,345" with thin spaces. */
export function formatCount(count: number): string {
	throw new Error(`not yet: ${count}`);
}

/** "12.3 %"; "<0.1 %" for what is more than nothing. */
export function formatPercent(share: number): string {
	throw new Error(`not yet: ${share}`);
}

/** A weight in the unit: of `sum` samples, each of periodNs (0: no times; then time is samples). */
export function formatWeight(weight: number, sum: number, periodNs: number, unit: Unit): string {
	throw new Error(`not yet: ${weight} ${sum} ${periodNs} ${unit}`);
}
