// SPDX-License-Identifier: MIT
/** Numbers for people. */
import type { Unit } from '../app/state.js';

const THIN = '\u202f'; // narrow, and lines do not break there
const MINUS = '\u2212';

const SCALES: readonly (readonly [number, string])[] = [
	[1, 'ns'],
	[1e3, '\u00b5s'],
	[1e6, 'ms'],
	[1e9, 's'],
];

/** Two units, the second one rounded: "2 min 5 s", "12 h 30 min". */
function twoUnits(ns: number): string {
	const seconds = Math.round(ns / 1e9);
	const parts = (big: number, small: number, a: string, b: string): string => {
		const rest = Math.round((seconds % big) / small);
		const carry = rest === big / small ? 1 : 0;
		const whole = Math.floor(seconds / big) + carry;
		return rest === 0 || carry
			? `${formatCount(whole)} ${a}`
			: `${formatCount(whole)} ${a} ${rest} ${b}`;
	};
	return seconds < 3599.5 ? parts(60, 1, 'min', 's') : parts(3600, 60, 'h', 'min');
}

/** "1.24 s", "830 ms", "12.5 us" (with the micro sign): three digits that count, at most "12 h 30 min". */
export function formatTime(ns: number): string {
	if (ns < 0) return `${MINUS}${formatTime(-ns)}`;
	if (!(ns > 0)) return '0 s';
	if (ns >= 59.95e9) return Number.isFinite(ns) ? twoUnits(ns) : '\u221e';
	// 999.6 us is 1.00 ms
	const [scale, unit] = SCALES.find(([s]) => Math.round(ns / s) < 1000) ?? [1e9, 's'];
	const value = ns / scale;
	if (scale === 1) return value < 1 ? '<1 ns' : `${Math.round(value)} ns`;
	return `${Number(value.toPrecision(3)) >= 100 ? Math.round(value) : value.toPrecision(3)} ${unit}`;
}

/** "12,345" with thin spaces. */
export function formatCount(count: number): string {
	if (count < 0) return `${MINUS}${formatCount(-count)}`;
	if (!Number.isFinite(count)) return '\u221e';
	// parts of samples are weights of imported captures
	if (count < 100 && !Number.isInteger(count)) return String(Number(count.toPrecision(3)));
	return Math.round(count)
		.toFixed(0)
		.replace(/\B(?=(\d{3})+$)/g, THIN);
}

/** "12.3 %"; "<0.1 %" for what is more than nothing. */
export function formatPercent(share: number): string {
	if (!Number.isFinite(share)) return '\u2013';
	if (share < 0) return `${MINUS}${formatPercent(-share)}`;
	const percent = share * 100;
	if (percent > 0 && percent < 0.1) return '<0.1 %';
	if (percent < 100 && percent >= 99.95) return '>99.9 %';
	return percent === 0 || percent >= 100 ? `${Math.round(percent)} %` : `${percent.toFixed(1)} %`;
}

/** "+2.1 pp": a difference of shares, in percentage points. */
export function formatPoints(share: number, digits = 1): string {
	const text = (Math.abs(share) * 100).toFixed(digits);
	const sign = share > 0 ? '+' : share < 0 ? MINUS : '';
	if (Math.abs(share) < 1e-9) return '0 pp'; // equal, but for the last digit
	return Number(text) === 0 ? `${sign}<${10 ** -digits} pp` : `${sign}${text} pp`;
}

/** A weight in the unit: of `sum` samples, each of periodNs (0: no times; then time is samples). */
export function formatWeight(weight: number, sum: number, periodNs: number, unit: Unit): string {
	if (unit === 'percent') return formatPercent(sum > 0 ? weight / sum : 0);
	return unit === 'time' && periodNs > 0 ? formatTime(weight * periodNs) : formatCount(weight);
}

/** "1 sample", "12 samples": a count with its word; the plural is the word with an s if not given. */
export function formatNumber(count: number, one: string, many = `${one}s`): string {
	return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** "1 sample", "12 bytes": of a capture's unit, which is a plural. */
export function formatOf(count: number, unit: string): string {
	return formatNumber(count, unit.replace(/s$/, ''), unit);
}

/** "1.2 MB" */
export function formatBytes(bytes: number): string {
	const scales: readonly (readonly [number, string])[] = [
		[1e9, 'GB'],
		[1e6, 'MB'],
		[1e3, 'kB'],
	];
	const [scale, unit] = scales.find(([s]) => bytes >= s) ?? [1, 'bytes'];
	const value = bytes / scale;
	return `${scale > 1 && value < 9.95 ? value.toFixed(1) : formatCount(Math.round(value))} ${unit}`;
}

/** "1 kHz", "99 Hz": how often a period of so many nanoseconds is; 0 is none. */
export function formatRate(periodNs: number): string {
	if (!(periodNs > 0)) return '';
	const hertz = 1e9 / periodNs;
	const digits = (value: number): string => String(Number(value.toPrecision(3)));
	return hertz >= 999.5 ? `${digits(hertz / 1000)} kHz` : `${digits(hertz)} Hz`;
}
