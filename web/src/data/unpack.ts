// SPDX-License-Identifier: MIT
/** From the text of an element to bytes. The page's policy allows no fetch(), not of data: either. */
import { damaged } from './numbers.js';

const UNPACKED_MOST = 2 ** 30; // bytes: more than a tab should hold anyway
const PAD = 61; // '='

/** Values of base64's letters; 255: none of them. */
function letterValues(): Uint8Array {
	const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
	const values = new Uint8Array(256).fill(255);
	for (let i = 0; i < letters.length; i++) values[letters.charCodeAt(i)] = i;
	return values;
}

/** Bytes of base64 with padding; white space around it means nothing. Throws if it is none. */
export function fromBase64(text: string): Uint8Array {
	const from = new TextEncoder().encode(text.trim());
	const values = letterValues();
	let length = from.length;
	if (length % 4 !== 0) damaged('its base64 is cut off');
	while (length > 0 && length > from.length - 2 && from[length - 1] === PAD) length--;
	const out = new Uint8Array((length * 3) >> 2);
	let wrong = 0;
	let at = 0;
	let i = 0;
	for (const whole = length & ~3; i < whole; i += 4) {
		const a = values[from[i]];
		const b = values[from[i + 1]];
		const c = values[from[i + 2]];
		const d = values[from[i + 3]];
		wrong |= a | b | c | d;
		out[at] = (a << 2) | (b >> 4);
		out[at + 1] = (b << 4) | (c >> 2);
		out[at + 2] = (c << 6) | d;
		at += 3;
	}
	if (i < length) {
		const a = values[from[i]];
		const b = values[from[i + 1]];
		const c = length - i === 3 ? values[from[i + 2]] : 0;
		wrong |= a | b | c;
		out[at] = (a << 2) | (b >> 4);
		if (length - i === 3) out[at + 1] = (b << 4) | (c >> 2);
	}
	if (wrong & 128) damaged('what should be base64 is not');
	return out;
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
	const reader = stream.getReader();
	const pieces: Uint8Array[] = [];
	let length = 0;
	for (;;) {
		const { done, value } = await reader.read();
		if (done) break;
		pieces.push(value);
		length += value.length;
		if (length > UNPACKED_MOST) {
			await reader.cancel();
			damaged('it unpacks to more than 1 GiB');
		}
	}
	const out = new Uint8Array(length);
	let at = 0;
	for (const piece of pieces) {
		out.set(piece, at);
		at += piece.length;
	}
	return out;
}

/** Unpacked gzip. Rejects with an Error that says why if that cannot be. */
export async function gunzip(packed: Uint8Array): Promise<Uint8Array> {
	if (typeof DecompressionStream === 'undefined') {
		throw new Error('this browser is too old for this page: it has no DecompressionStream');
	}
	const packs = new Blob([packed as BlobPart]).stream();
	const stream = packs.pipeThrough(new DecompressionStream('gzip') as unknown as TransformStream);
	try {
		return await readAll(stream);
	} catch (error) {
		if (error instanceof Error && error.message.startsWith('the data')) throw error;
		return damaged(`it cannot be unpacked (${error instanceof Error ? error.message : error})`);
	}
}
