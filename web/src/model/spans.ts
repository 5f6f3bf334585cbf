// SPDX-License-Identifier: MIT
/** Spans: what the program said it was working on. Which of them, and which samples, are selected. */
import type { Capture, Span } from '../data/capture.js';
import { makeMatcher } from '../ui/search.js';

export const spanLabel = (span: Span): string => `${span.name} ${span.text}`.trim();

/** Up to the end of the capture, if it had not ended. */
export const spanLength = (capture: Capture, span: Span): number =>
	(span.endNs ?? capture.durationNs) - span.startNs;

/**
 * By row + 1 (0: of samples in none): 1 for the spans that a text means, and those within them. "#12"
 * is one, else it is a regular expression for name and text; behind it may be what they last at least
 * and less than, in nanoseconds: "^request ~1000000~".
 */
export function spansOf(capture: Capture, text: string): Uint8Array {
	const [, what = '', least = '', most = ''] = /^(.*?)(?:~(\d*)~(\d*))?$/s.exec(text) ?? [];
	const { test } = makeMatcher({ text: what, regex: true, caseSensitive: true });
	const found = new Uint8Array(capture.spans.length + 1);
	found[0] = test('') && what === text ? 1 : 0;
	for (const span of capture.spans) {
		const length = spanLength(capture, span);
		const own = what[0] === '#' ? what === `#${span.row}` : test(spanLabel(span));
		const fits = own && length >= Number(least) && (most === '' || length < Number(most));
		found[span.row + 1] = fits || (span.parent >= 0 && found[span.parent + 1]) ? 1 : 0;
	}
	return found;
}

const KEPT = 6;
const goneOf = new WeakMap<Capture, Map<string, Uint8Array>>();

/** By sample: 1 if it is in none of the spans that a text means; null if the text is empty: in all. */
export function goneRows(capture: Capture, text: string): Uint8Array | null {
	if (text === '') return null;
	const known = goneOf.get(capture) ?? new Map<string, Uint8Array>();
	goneOf.set(capture, known);
	if (known.size > KEPT) known.clear();
	const { span, count } = capture.samples;
	let gone = known.get(text);
	if (!gone) {
		const found = spansOf(capture, text);
		gone = new Uint8Array(count);
		for (let row = 0; row < count; row++) gone[row] = 1 - found[span ? span[row] : 0];
		known.set(text, gone);
	}
	return gone;
}
