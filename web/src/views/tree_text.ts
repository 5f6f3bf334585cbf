// SPDX-License-Identifier: MIT
/** Rows of the call tree in words. */
import type { App } from '../app/app.js';
import { NONE } from '../data/capture.js';
import type { Shown } from '../model/shown.js';
import type { Tree } from '../model/tree.js';
import { formatPercent } from '../ui/format.js';
import { shortened, weightLines } from './table_text.js';

export function nodeFunc(shown: Shown, tree: Tree, node: number): number {
	return node > 0 ? shown.tables.frameFunc[tree.frame[node]] : NONE;
}

/** The executing line if lines are shown, else 0. */
export function nodeLine(shown: Shown, tree: Tree, node: number): number {
	return node > 0 ? shown.tables.frameLine[tree.frame[node]] : 0;
}

export function nodeName(shown: Shown, tree: Tree, node: number): string {
	if (node <= 0) return 'all that is shown';
	return shortened(shown.tables.funcName[nodeFunc(shown, tree, node)] || '?');
}

/** "file.py:12", or "". */
export function nodePlace(shown: Shown, tree: Tree, node: number): string {
	const { tables } = shown;
	const func = nodeFunc(shown, tree, node);
	if (func < 0) return '';
	const file = tables.funcFile[func];
	if (!file || file === tables.funcName[func]) return '';
	const line = nodeLine(shown, tree, node) || tables.funcLine[func];
	return shortened(line ? `${file}:${line}` : file);
}

/** Lines of a node's tip: weights, of all and of what calls it (inverted: of what it calls). */
export function nodeLines(
	app: App,
	shown: Shown,
	tree: Tree,
	node: number,
	inverted: boolean,
): string[] {
	const place = nodePlace(shown, tree, node);
	const module = shown.tables.funcModule[nodeFunc(shown, tree, node)] ?? '';
	const about = [place, shortened(module)].filter((text) => text !== '').join(' \u00b7 ');
	const parent = tree.parent[node];
	const lines = [nodeName(shown, tree, node), ...(about ? [about] : [])];
	lines.push(
		...weightLines(
			app,
			shown,
			inverted ? 'self' : 'total',
			tree.total[node],
			tree.before?.[node] ?? null,
		),
	);
	if (!inverted) {
		lines.push(
			...weightLines(app, shown, 'self', tree.self[node], tree.beforeSelf?.[node] ?? null),
		);
	}
	if (parent > 0 && tree.total[parent] > 0) {
		const share = formatPercent(tree.total[node] / tree.total[parent]);
		const name = nodeName(shown, tree, parent).slice(0, 80);
		lines.push(`${share} of ${name}`);
	}
	return lines;
}
