// SPDX-License-Identifier: MIT
/** How the nodes of a call tree look and read: fills, labels, tips. For flame graph and sandwich. */
import type { App } from '../app/app.js';
import type { Shape } from '../draw/layout.js';
import { visible } from '../draw/text.js';
import { interval } from '../model/certainty.js';
import type { Shown, ShownTables, Side } from '../model/shown.js';
import type { Tree } from '../model/tree.js';
import type { Theme } from '../ui/colours.js';
import { differenceColour, functionColours, mixColours, shareColours } from '../ui/colours.js';
import { formatCount, formatOf, formatPercent, formatPoints, formatTime } from '../ui/format.js';
import { searchFunctions, titleOf } from '../ui/search.js';

export interface Look {
	readonly theme: Theme;
	/** Fill of a node's box; parts() lies over it. */
	fill(node: number): string;
	/** By state: shares of the width with their fills; null with other colourings. */
	parts(node: number): readonly (readonly [number, string])[] | null;
	/** Its name, then file and line if they are known. */
	label(node: number): string;
	place(node: number): string;
}

/** Function of the tables that a node stands for; NONE for node 0. */
export function funcOf(shown: Shown, shape: Shape, node: number): number {
	const frame = shape.tree.frame[node];
	return frame < 0 ? -1 : shown.tables.frameFunc[frame];
}

/** "file:line" of a node, "" if it has none; the executing line if lines are shown. */
function placeOf(shown: Shown, shape: Shape, node: number): string {
	const { tables } = shown;
	const func = funcOf(shown, shape, node);
	if (func < 0) return '';
	const line = tables.frameLine[shape.tree.frame[node]] || tables.funcLine[func];
	const file = tables.funcFile[func] ?? '';
	if (file === '' || file === tables.funcName[func]) return '';
	return line ? `${file}:${line}` : file;
}

/** What a node's share of all is now, less what it was before: -1 .. 1. */
function changeOf(shown: Shown, tree: Tree, node: number): number {
	const before = tree.before && shown.before ? tree.before[node] / (shown.before.sum || 1) : 0;
	return tree.total[node] / (shown.now.sum || 1) - before;
}

/** How nodes look under the state; what the look depends on must not change while it is used. */
export function makeLook(app: App, shape: Shape, theme: Theme): Look {
	const shown = app.shown();
	const { tables } = shown;
	const { tree } = shape;
	const how = app.state.colouring;
	const colours = functionColours(theme, tables, how);
	const found = searchFunctions(tables, app.state.search);
	const states = shareColours(theme);
	const faded = new Map<string, string>();
	const fade = (colour: string): string => {
		let pale = faded.get(colour);
		if (pale === undefined) {
			pale = mixColours(colour, theme.dark ? '#5a5550' : theme.back, 0.65);
			faded.set(colour, pale);
		}
		return pale;
	};
	const plain = (node: number, func: number): string => {
		if (how === 'diff' && tree.before) return differenceColour(theme, changeOf(shown, tree, node));
		return func < 0 ? theme.pooled : (colours[func] ?? theme.pooled);
	};
	const matchOf = (func: number): boolean => found !== null && found.matches[func] === 1;
	return {
		theme,
		fill(node) {
			const func = funcOf(shown, shape, node);
			if (!found) return plain(node, func);
			return matchOf(func) ? theme.match : fade(plain(node, func));
		},
		parts(node) {
			const total = tree.total[node];
			if (how !== 'state' || !(total > 0)) return null;
			const func = funcOf(shown, shape, node);
			if (matchOf(func)) return null;
			return states.map((fill, i) => [
				(tree.shares[i]?.[node] ?? 0) / total,
				found ? fade(fill) : fill,
			]);
		},
		label(node) {
			const func = funcOf(shown, shape, node);
			if (func < 0) return `all: ${amount(app, tree.total[node])}`;
			return visible((tables.funcName[func] || '?').slice(0, 500));
		},
		place: (node) => visible(placeOf(shown, shape, node)),
	};
}

/** "12.3 % (95 %: 11.8 % to 12.9 %)": a share of a side, and how sure it is. */
export function sharePhrase(weight: number, side: Side): string {
	const share = side.sum > 0 ? weight / side.sum : 0;
	if (side.samples < 1) return formatPercent(share);
	const { low, high } = interval(share * side.samples, side.samples);
	return `${formatPercent(share)} (95 %: ${formatPercent(low)} to ${formatPercent(high)})`;
}

const STATE_WORDS = ['on processor', 'ready to run', 'waiting', 'not known'];

function statePhrase(shape: Shape, node: number): string {
	const total = shape.tree.total[node];
	const words = STATE_WORDS.map((word, i) => {
		const share = (shape.tree.shares[i]?.[node] ?? 0) / total;
		return share >= 0.0005 ? `${word} ${formatPercent(share)}` : '';
	}).filter((text) => text !== '');
	return words.join(', ');
}

function amount(app: App, weight: number): string {
	const { periodNs } = app.shown();
	const timed = periodNs > 0 && app.state.unit !== 'samples';
	return timed ? formatTime(weight * periodNs) : formatOf(weight, app.capture.unit);
}

/** The module, unless the file says it already. */
export function moduleOf(tables: ShownTables, func: number): string {
	const module = tables.funcModule[func] ?? '';
	return (tables.funcFile[func] ?? '').startsWith(module) ? '' : visible(module);
}

/** Lines of a node's tip: what it is, total, self, what of the zoomed one, before and now, states. */
export function tipLines(app: App, shape: Shape, node: number, zoomed: number): string[] {
	const shown = app.shown();
	const { tables, now, before } = shown;
	const { tree } = shape;
	const func = funcOf(shown, shape, node);
	const name = func < 0 ? 'all that is shown' : tables.funcName[func] || '?';
	const lines = [visible(name.slice(0, 1000))];
	const place = visible(placeOf(shown, shape, node));
	const module = func < 0 ? '' : moduleOf(tables, func);
	if (place || module) lines.push([place, module].filter((t) => t !== '').join(' · '));
	lines.push(`total ${amount(app, tree.total[node])}, ${sharePhrase(tree.total[node], now)}`);
	lines.push(`self ${amount(app, tree.self[node])}, ${sharePhrase(tree.self[node], now)}`);
	if (zoomed > 0 && zoomed !== node && tree.total[zoomed] >= tree.total[node]) {
		const zoomedFunc = funcOf(shown, shape, zoomed);
		const of = visible((tables.funcName[zoomedFunc] || '?').slice(0, 100));
		lines.push(`${formatPercent(tree.total[node] / tree.total[zoomed])} of ${of}`);
	}
	if (before && tree.before) {
		const change = changeOf(shown, tree, node);
		lines.push(`before ${sharePhrase(tree.before[node], before)}`);
		lines.push(`change ${formatPoints(change, 2)}`);
	}
	if (tree.total[node] > 0) lines.push(statePhrase(shape, node));
	return lines.filter((line) => line !== '');
}

/** Lines for a box that stands for many. */
export function poolLines(app: App, count: number, weight: number): string[] {
	const { now } = app.shown();
	const what =
		count === 1 ? '1 call too narrow to draw' : `${formatCount(count)} calls too narrow to draw`;
	return [what, `together ${amount(app, weight)}, ${sharePhrase(weight, now)}`, 'Click to zoom in'];
}

/** One sentence about a node, for the line below the picture and for screen readers. */
export function sayNode(app: App, shape: Shape, node: number): string {
	const shown = app.shown();
	const func = funcOf(shown, shape, node);
	const { tree } = shape;
	const title = func < 0 ? 'All that is shown' : visible(titleOf(shown.tables, func).slice(0, 300));
	const total = `${amount(app, tree.total[node])}, ${sharePhrase(tree.total[node], shown.now)}`;
	return `${title}: ${total}; self ${amount(app, tree.self[node])}`;
}
