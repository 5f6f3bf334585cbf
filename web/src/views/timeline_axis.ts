// SPDX-License-Identifier: MIT
/** The marks of a time axis and how they are called. */

const SECOND = 1e9;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Above a second, steps are those of a clock. */
const CLOCK_STEPS: readonly number[] = [
	...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
	...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
	...[1, 2, 3, 6, 12, 24].map((n) => n * HOUR),
];

/** A round length of time, no shorter than `leastNs`: 1, 2, 5 times a power of ten, or as clocks. */
export function roundStep(leastNs: number): number {
	if (leastNs <= SECOND / 2) {
		const power = 10 ** Math.floor(Math.log10(Math.max(1, leastNs)) + 1e-9);
		for (const factor of [1, 2, 5]) if (factor * power >= leastNs) return factor * power;
		return 10 * power;
	}
	for (const step of CLOCK_STEPS) if (step >= leastNs) return step;
	return Math.ceil(leastNs / (24 * HOUR)) * 24 * HOUR;
}

/** Multiples of `stepNs` in [fromNs, toNs]; never more than 1000. */
export function ticks(fromNs: number, toNs: number, stepNs: number): number[] {
	const found: number[] = [];
	const first = Math.ceil(fromNs / stepNs - 1e-9);
	for (let i = first; i * stepNs <= toNs && found.length < 1000; i++) found.push(i * stepNs + 0); // not -0
	return found;
}

/**
 * A time since the beginning, exact to the step: "1:02:03", "2:03.5", "12.345 s", "12.5 ms" (the
 * unit is chosen by the end of what is shown, so that all marks of an axis have the same).
 */
export function clockTime(ns: number, stepNs: number, endNs: number): string {
	if (endNs < 1e6) return `${decimals(ns / 1e3, stepNs / 1e3)} \u00b5s`;
	if (endNs < SECOND) return `${decimals(ns / 1e6, stepNs / 1e6)} ms`;
	if (endNs < 2 * MINUTE) return `${decimals(ns / SECOND, stepNs / SECOND)} s`;
	const whole = Math.floor((ns + stepNs / 1e3) / MINUTE);
	const seconds = decimals(Math.max(0, ns - whole * MINUTE) / SECOND, stepNs / SECOND);
	const padded = seconds.split('.')[0].length < 2 ? `0${seconds}` : seconds;
	if (endNs < HOUR) return `${whole}:${padded}`;
	return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}:${padded}`;
}

function decimals(value: number, step: number): string {
	const digits = step >= 1 ? 0 : Math.min(9, Math.ceil(-Math.log10(step) - 1e-9));
	return value.toFixed(digits);
}

/** A moment for people, to about a pixel of what is shown. */
export function momentText(ns: number, windowNs: number, endNs: number): string {
	const step = 10 ** Math.floor(Math.log10(Math.max(1, windowNs / 2000)));
	return clockTime(Math.round(ns / step) * step, step, endNs);
}
