// SPDX-License-Identifier: MIT
/** Columns of numbers in LEB128, as the data of a page has them. */

/** Throws: what is wrong with the data of the page. */
export function damaged(what: string): never {
	throw new Error(`the data of this page is damaged: ${what}`);
}

/** A column that is being read. `bytes` are its own alone. */
export interface Column {
	readonly name: string;
	readonly count: number;
	readonly bytes: Uint8Array;
	at: number;
}

/** The rest of a number of more than one byte. Above 2^53 it is the nearest that there is. */
function takeLong(c: Column, first: number): number {
	let value = first & 127;
	let factor = 128;
	for (let length = 2; length <= 10; length++) {
		if (c.at >= c.bytes.length) break;
		const byte = c.bytes[c.at++];
		value += (byte & 127) * factor;
		if (byte < 128) {
			if (length === 10 && byte > 1) break;
			return value;
		}
		factor *= 128;
	}
	return damaged(
		c.at >= c.bytes.length
			? `column ${c.name} ends within a number`
			: `column ${c.name} has a number of more than 64 bits`,
	);
}

function take(c: Column): number {
	if (c.at >= c.bytes.length) return damaged(`column ${c.name} is too short`);
	const byte = c.bytes[c.at++];
	return byte < 128 ? byte : takeLong(c, byte);
}

const signed = (value: number): number =>
	value < 0x80000000
		? (value >>> 1) ^ -(value & 1)
		: value % 2 === 0
			? value / 2
			: -(value + 1) / 2;

function finish(c: Column): void {
	if (c.at !== c.bytes.length) damaged(`column ${c.name} has more than ${c.count} numbers`);
}

type Numbers = Uint8Array | Int16Array | Uint32Array | Float64Array;

/** Numbers below `limit`, plus `add`, times `factor`, into `out`. */
export function readNumbers<T extends Numbers>(
	c: Column,
	out: T,
	limit: number,
	factor = 1,
	add = 0,
): T {
	for (let i = 0; i < c.count; i++) {
		const value = take(c);
		if (value >= limit) damaged(`column ${c.name}, row ${i}: ${value} is too large`);
		out[i] = (value + add) * factor;
	}
	finish(c);
	return out;
}

/** Rows below `limit`, each as the difference to the one before. */
export function readDifferences(c: Column, limit: number): Uint32Array {
	const out = new Uint32Array(c.count);
	let value = 0;
	for (let i = 0; i < c.count; i++) {
		value += signed(take(c));
		if (value < 0 || value >= limit) {
			damaged(`column ${c.name}, row ${i}: there is no row ${value}, only ${limit}`);
		}
		out[i] = value;
	}
	finish(c);
	return out;
}

/** Parents of stacks: NONE (-1), or a row before their own. */
export function readParents(c: Column): Int32Array {
	const out = new Int32Array(c.count);
	for (let row = 0; row < c.count; row++) {
		const up = take(c);
		if (up > row) damaged(`column ${c.name}, row ${row}: its parent is before the first row`);
		out[row] = up === 0 ? -1 : row - up;
	}
	finish(c);
	return out;
}

/** Times in units of `unitNs`; differences begin anew for each of the `counts`, which sum up. */
export function readTimes(c: Column, counts: Iterable<number>, unitNs: number): Float64Array {
	const out = new Float64Array(c.count);
	const most = Number.MAX_SAFE_INTEGER / unitNs;
	let row = 0;
	for (const count of counts) {
		let time = 0;
		for (const end = row + count; row < end; row++) {
			time += signed(take(c));
			if (time > most || time < -most) damaged(`column ${c.name}, row ${row}: no time`);
			out[row] = time * unitNs;
		}
	}
	finish(c);
	return out;
}

/** State and flags of each sample, from state << 6 | flags. */
export function readStates(c: Column, state: Uint8Array, flags: Uint8Array): void {
	for (let i = 0; i < c.count; i++) {
		const value = take(c);
		if (value >= 5 << 6) damaged(`column ${c.name}, row ${i}: ${value} is no state`);
		state[i] = value >> 6;
		flags[i] = value & 63;
	}
	finish(c);
}
