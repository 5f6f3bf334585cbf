// SPDX-License-Identifier: MIT
// What a differential flame graph has beyond a plain one: see svg_diff.h.
import { formatCount, formatTime } from './text.js';

// In the order of enum svg_diff_class.
const DIFF_TONES = 8; // SVG_DIFF_TONES in svg_diff.h
const tones = (css) => Array.from({ length: DIFF_TONES }, (_, tone) => css + tone);
export const DIFF_CSS = ['e0', ...tones('g'), ...tones('l'), 'n0', 'x0'];

const SWATCHES = [
	['x0', 'gone'],
	['l6', 'shrank'],
	['l2', ''],
	['e0', 'within the sampling error'],
	['g2', ''],
	['g6', 'grew'],
	['n0', 'new'],
];

// Sums of each side below each node.
function sumSide(tree, self) {
	const total = Float64Array.from(self);
	for (let i = tree.count - 1; i > 0; i--) total[tree.parent[i]] += total[i];
	return total;
}

// A node is as wide as its value in B, and where B has nothing, as that in A.
export function decodeDiff(tree, raw, readers) {
	const self = [0, 1].map(() => new Float64Array(tree.count));
	const css = ['e0'];
	for (let i = 1; i < tree.count; i++) {
		self[0][i] = readers.self.next();
		self[1][i] = readers.self.next();
		css.push(DIFF_CSS[readers.classes.next()]);
	}
	const total = self.map((side) => sumSide(tree, side));
	for (let i = 1; i < tree.count; i++) {
		const side = total[1][i] ? 1 : 0;
		tree.self[i] = self[side][i] * raw.each[side];
	}
	const { names, totals, each, kind } = raw;
	tree.diff = { names, totals, each, kind, self, total, css };
}

export function formatValue(diff, value, sign) {
	const plus = sign && value > 0 ? '+' : sign && value < 0 ? '−' : '';
	const size = Math.abs(value);
	if (diff.kind === 'share') return `${plus}${(100 * size).toFixed(2)} ${sign ? 'pp' : '%'}`;
	if (diff.kind === 'seconds') return plus + (size ? formatTime(size) : '0 s');
	return plus + formatCount(Math.round(size));
}

function sidesOf(diff, weights, node) {
	return [0, 1].map((side) => weights[side][node] * diff.each[side]);
}

// " new", " gone", " +1.20 pp": what a frame's label says after its name; '' if it says nothing.
export function changeLabel(tree, node) {
	const { css, total } = tree.diff;
	if (css[node] === 'n0') return ' new';
	if (css[node] === 'x0') return ' gone';
	if (css[node] === 'e0') return '';
	const [a, b] = sidesOf(tree.diff, total, node);
	return ' ' + formatValue(tree.diff, b - a, true);
}

// [term, text] pairs.
export function changeFacts(tree, node) {
	const { diff } = tree;
	const describe = (weights) => {
		const [a, b] = sidesOf(diff, weights, node);
		const change = formatValue(diff, b - a, true);
		return `${formatValue(diff, a)} → ${formatValue(diff, b)} · ${change}`;
	};
	const [before, after] = sidesOf(diff, diff.total, node);
	const facts = [['total', describe(diff.total)]];
	if (diff.css[node] === 'e0') facts.push(['', 'within the sampling error']);
	else if (diff.css[node] === 'n0') facts.push(['', 'new: not in A']);
	else if (diff.css[node] === 'x0') facts.push(['', 'gone: not in B']);
	else facts.push(['times', (after / before).toPrecision(3)]);
	facts.push(['self', describe(diff.self)]);
	facts.push([
		'samples',
		`${formatCount(diff.total[0][node])} → ${formatCount(diff.total[1][node])}`,
	]);
	return facts;
}

// "a.fgc, 1000 samples → b.fgc, 990 samples"
export function changeTotals({ names, totals }) {
	return names.map((name, i) => `${name}, ${formatCount(totals[i])} samples`).join(' → ');
}

export function changeSwatches() {
	return SWATCHES;
}
