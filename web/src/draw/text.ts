// SPDX-License-Identifier: MIT
/** Names on pictures: what can be seen of them, and what fits. */

const UNSEEN =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: names may hold them
	/[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escapeOf = (c: string): string => {
	const code = c.charCodeAt(0);
	return code < 0x100
		? `\\x${code.toString(16).padStart(2, '0')}`
		: `\\u${code.toString(16).padStart(4, '0')}`;
};

/**
 * A text of which every character can be seen, in order: control characters, those without width,
 * those that turn the direction of writing and halves of pairs come as \xHH and \uHHHH.
 */
export function visible(text: string): string {
	return text.replace(UNSEEN, escapeOf);
}

export interface Fitter {
	/** Width of a text in pixels. */
	width(text: string): number;
	/**
	 * The text, or as much of it as fits into `room` pixels, cut in the middle: what follows the
	 * last dot is kept if it can be, as it tells methods of a class apart. "" if nothing reads.
	 */
	fit(text: string, room: number): string;
}

const isHigh = (text: string, i: number): boolean => (text.charCodeAt(i) & 0xfc00) === 0xd800;
const isLow = (text: string, i: number): boolean => (text.charCodeAt(i) & 0xfc00) === 0xdc00;

/** Widths are asked once per character: sums are near enough, and cost nothing while zooming. */
export function makeFitter(measure: (text: string) => number): Fitter {
	const ascii = new Float32Array(128).fill(-1);
	const others = new Map<string, number>();
	const otherWidth = (c: string): number => {
		let w = others.get(c);
		if (w === undefined) {
			w = measure(c);
			others.set(c, w);
		}
		return w;
	};
	/** Of the character at i; the second half of a pair has none. */
	const at = (text: string, i: number): number => {
		const code = text.charCodeAt(i);
		if (code < 128) {
			const known = ascii[code] ?? 0;
			if (known >= 0) return known;
			const w = measure(text[i] ?? '');
			ascii[code] = w;
			return w;
		}
		if (isLow(text, i)) return 0;
		return otherWidth(isHigh(text, i) ? text.slice(i, i + 2) : (text[i] ?? ''));
	};
	/** As width(), but stops beyond `most`: names may be megabytes. */
	const widthUpTo = (text: string, from: number, most: number): number => {
		let sum = 0;
		for (let i = from; i < text.length && sum <= most; i++) sum += at(text, i);
		return sum;
	};
	const cut = (text: string, room: number): string => {
		const left = room - otherWidth('…');
		const last = widthUpTo(text, text.lastIndexOf('.') + 1, left);
		const tailRoom = last <= left * 0.85 ? Math.max(last, left * 0.5) : left * 0.5;
		let end = text.length;
		let used = 0;
		while (end > 0 && used + at(text, end - 1) <= tailRoom) used += at(text, --end);
		if (isLow(text, end)) end++;
		let start = 0;
		while (start < end && used + at(text, start) <= left) used += at(text, start++);
		if (start > 0 && isHigh(text, start - 1)) start--;
		return start + text.length - end < 3 ? '' : `${text.slice(0, start)}…${text.slice(end)}`;
	};
	return {
		width: (text) => widthUpTo(text, 0, Infinity),
		fit: (text, room) => (widthUpTo(text, 0, room) <= room ? text : cut(text, room)),
	};
}
