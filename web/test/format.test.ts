// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRange } from '../src/ui/chips.js';
import {
	formatBytes,
	formatCount,
	formatNumber,
	formatOf,
	formatPercent,
	formatPoints,
	formatRate,
	formatTime,
	formatWeight,
} from '../src/ui/format.js';

test('times have three digits that count', () => {
	const cases: [number, string][] = [
		[0, '0 s'],
		[0.2, '<1 ns'],
		[1, '1 ns'],
		[999, '999 ns'],
		[999.6, '1.00 \u00b5s'],
		[12_500, '12.5 \u00b5s'],
		[999_600, '1.00 ms'],
		[830e6, '830 ms'],
		[999.4e6, '999 ms'],
		[1.24e9, '1.24 s'],
		[9.996e9, '10.0 s'],
		[59.9e9, '59.9 s'],
		[59.96e9, '1 min'],
		[125e9, '2 min 5 s'],
		[3599.6e9, '1 h'],
		[45_000e9, '12 h 30 min'],
		[3600e9 * 2 - 1e9, '2 h'],
		[3600e9 * 5000, '5\u202f000 h'],
		[-2e9, '\u22122.00 s'],
	];
	for (const [ns, text] of cases) assert.equal(formatTime(ns), text, String(ns));
});

test('longer times never read shorter', () => {
	const units: Record<string, number> = {
		ns: 1,
		'\u00b5s': 1e3,
		ms: 1e6,
		s: 1e9,
		min: 60e9,
		h: 3600e9,
	};
	const read = (text: string): number => {
		const words = text.split(' ');
		let sum = 0;
		for (let i = 0; i < words.length; i += 2) {
			sum +=
				Number((words[i] ?? '').replace(/\u202f/g, '')) * (units[words[i + 1] ?? ''] ?? Number.NaN);
		}
		return sum;
	};
	let before = 0;
	for (let ns = 1; ns < 1e16; ns *= 1.0037) {
		const now = read(formatTime(ns));
		assert.ok(now >= before, `${formatTime(ns)} after ${before}`);
		assert.ok(Math.abs(now - ns) <= 0.51 * ns, `${formatTime(ns)} for ${ns}`);
		if (ns > 100 && ns < 1e10) assert.ok(Math.abs(now - ns) <= 0.0051 * ns);
		before = now;
	}
});

test('counts', () => {
	assert.equal(formatCount(0), '0');
	assert.equal(formatCount(999), '999');
	assert.equal(formatCount(12345), '12\u202f345');
	assert.equal(formatCount(1234567), '1\u202f234\u202f567');
	assert.equal(formatCount(-1000), '\u22121\u202f000');
	assert.equal(formatCount(2.5), '2.5');
	assert.equal(formatNumber(1, 'sample'), '1 sample');
	assert.equal(formatNumber(0, 'process', 'processes'), '0 processes');
	assert.equal(formatOf(1, 'bytes'), '1 byte');
	assert.equal(formatOf(2, 'samples'), '2 samples');
	assert.equal(formatOf(1, 'data'), '1 data');
});

test('percents tell all from nearly all and none from little', () => {
	const cases: [number, string][] = [
		[0, '0 %'],
		[1e-9, '<0.1 %'],
		[0.00099, '<0.1 %'],
		[0.001, '0.1 %'],
		[0.123, '12.3 %'],
		[0.9994, '99.9 %'],
		[0.9996, '>99.9 %'],
		[1, '100 %'],
		[1.5, '150 %'],
		[-0.123, '\u221212.3 %'],
		[Number.NaN, '\u2013'],
	];
	for (const [share, text] of cases) assert.equal(formatPercent(share), text, String(share));
});

test('differences of shares are percentage points', () => {
	assert.equal(formatPoints(0.25), '+25.0 pp');
	assert.equal(formatPoints(-0.25, 2), '\u221225.00 pp');
	assert.equal(formatPoints(0.0001), '+<0.1 pp');
	assert.equal(formatPoints(-0.00001, 2), '\u2212<0.01 pp');
	assert.equal(formatPoints(0), '0 pp');
	assert.equal(formatPoints(-0), '0 pp');
	assert.equal(formatPoints(0.1 + 0.2 - 0.3, 2), '0 pp');
});

test('weights in their unit', () => {
	assert.equal(formatWeight(250, 1000, 1e6, 'time'), '250 ms');
	assert.equal(formatWeight(250, 1000, 1e6, 'samples'), '250');
	assert.equal(formatWeight(250, 1000, 1e6, 'percent'), '25.0 %');
	assert.equal(formatWeight(250, 1000, 0, 'time'), '250', 'without times they are counts');
	assert.equal(formatWeight(0, 0, 0, 'percent'), '0 %');
});

test('sizes and rates', () => {
	assert.equal(formatBytes(12), '12 bytes');
	assert.equal(formatBytes(1.23e6), '1.2 MB');
	assert.equal(formatBytes(582e3), '582 kB');
	assert.equal(formatRate(1e6), '1 kHz');
	assert.equal(formatRate(1e9 / 99), '99 Hz');
	assert.equal(formatRate(0), '');
});

test('ranges are as exact as they are long', () => {
	assert.equal(formatRange({ from: 1.2e9, to: 3.5e9 }), '1.2 s \u2013 3.5 s');
	assert.equal(formatRange({ from: 1.2e9, to: 1.2e9 + 300e3 }), '1.2 s \u2013 1.2003 s');
	assert.equal(formatRange({ from: 0, to: 12 }), '0 s \u2013 0.000000012 s');
});
