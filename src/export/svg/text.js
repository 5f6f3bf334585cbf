// SPDX-License-Identifier: MIT
// Text for people: names made visible, numbers, and how much of a name fits.

// As svg.h's classes and label.h's enum label_origin, in that order.
export const ORIGINS = [
	{ css: 'o', text: 'own code', swatch: 'o1' },
	{ css: 'p', text: 'packages', swatch: 'p4' },
	{ css: 's', text: 'standard library', swatch: 's4' },
	{ css: 't', text: 'threads', swatch: 't4' },
	{ css: 'm', text: 'other', swatch: 'm4' },
];

const UNSEEN =
	/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]/g;

// The same as label_visible() in label.c.
export function visible(text) {
	return text.replace(UNSEEN, (c) => {
		const code = c.charCodeAt(0);
		return code < 0x100
			? '\\x' + code.toString(16).padStart(2, '0')
			: '\\u' + code.toString(16).padStart(4, '0');
	});
}

export function formatPercent(part, whole) {
	if (!part || !whole) return '0 %';
	const percent = (100 * part) / whole;
	if (percent < 0.01) return '<0.01 %';
	if (part < whole && percent >= 99.995) return '>99.99 %';
	return percent === 100 ? '100 %' : percent.toFixed(2) + ' %';
}

// As units_add_count() in units.h.
export function formatCount(n) {
	return n < 10000 ? String(n) : String(n).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

export function formatSamples(n) {
	return formatCount(n) + (n === 1 ? ' sample' : ' samples');
}

const UNITS = { ns: 1e-9, us: 1e-6, µs: 1e-6, μs: 1e-6, ms: 1e-3, s: 1 };

// Seconds of one sample, from text such as "1 ms"; 0 if it is something else.
export function parseUnit(text) {
	const match = /^\s*(\d+(?:\.\d+)?)\s*(ns|us|µs|μs|ms|s)\s*$/.exec(text || '');
	return match ? Number(match[1]) * UNITS[match[2]] : 0;
}

export function formatTime(seconds) {
	if (seconds >= 3600)
		return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
	if (seconds >= 120) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
	const [scale, unit] = seconds >= 1 ? [1, 's'] : seconds >= 1e-3 ? [1e3, 'ms'] : [1e6, 'µs'];
	return Number((seconds * scale).toPrecision(3)) + ' ' + unit;
}

// "12 345 samples · 12.3 s", or without the time if a sample's length is not known.
export function formatAmount(samples, secondsEach) {
	const text = formatSamples(samples);
	return secondsEach ? `${text} · ${formatTime(samples * secondsEach)}` : text;
}

// A function (text, px) => what of the text fits, with an ellipsis if it is cut; '' if nothing does.
// `measure` gives the width of one character; each is asked for once.
export function makeFitter(measure) {
	const widths = new Map();
	const widthOf = (c) => {
		let width = widths.get(c);
		if (width === undefined) widths.set(c, (width = measure(c)));
		return width;
	};
	return (text, px) => {
		const room = px - widthOf('…');
		let used = 0;
		let fits = 0;
		let at = 0;
		for (const c of text) {
			used += widthOf(c);
			if (used > px) return fits ? text.slice(0, fits) + '…' : '';
			at += c.length;
			if (used <= room) fits = at;
		}
		return text;
	};
}
