// SPDX-License-Identifier: MIT
/** Pairs of numbers, each kept once: how stacks (parent, frame) and frames (function, line) are. */
import { NONE } from './capture.js';

/** Grows. Rows are given in the order in which pairs come. */
export interface Pairs {
	count: number;
	first: Int32Array; // by row; longer than count
	second: Int32Array;
	slots: Int32Array; // a power of two; row or NONE
}

export function makePairs(expected: number): Pairs {
	let size = 64;
	while (size < expected * 2) size *= 2;
	return {
		count: 0,
		first: new Int32Array(size / 2),
		second: new Int32Array(size / 2),
		slots: new Int32Array(size).fill(NONE),
	};
}

function hash(first: number, second: number): number {
	const h = Math.imul(first ^ Math.imul(second, 0x85ebca6b), 0x9e3779b1);
	return h ^ (h >>> 15);
}

function grow(pairs: Pairs): void {
	const size = pairs.slots.length * 2;
	const first = new Int32Array(size / 2);
	const second = new Int32Array(size / 2);
	const slots = new Int32Array(size).fill(NONE);
	first.set(pairs.first);
	second.set(pairs.second);
	for (let row = 0; row < pairs.count; row++) {
		let at = hash(first[row], second[row]) & (size - 1);
		while (slots[at] !== NONE) at = (at + 1) & (size - 1);
		slots[at] = row;
	}
	pairs.first = first;
	pairs.second = second;
	pairs.slots = slots;
}

/** The row of a pair; a new one if it was not there. */
export function pairRow(pairs: Pairs, first: number, second: number): number {
	if (pairs.count === pairs.first.length) grow(pairs);
	const mask = pairs.slots.length - 1;
	let at = hash(first, second) & mask;
	for (;;) {
		const row = pairs.slots[at];
		if (row === NONE) break;
		if (pairs.first[row] === first && pairs.second[row] === second) return row;
		at = (at + 1) & mask;
	}
	pairs.first[pairs.count] = first;
	pairs.second[pairs.count] = second;
	pairs.slots[at] = pairs.count;
	return pairs.count++;
}
