// SPDX-License-Identifier: MIT
/** The call tree: calls to open and close, the heaviest first; inverted, callers below callees. */
import type { App, Change, MenuItem, View } from '../app/app.js';
import { captureFunc, frameMenu, runMenuKey, shownFunc, undoItems } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import type { Shown } from '../model/shown.js';
import type { Tree } from '../model/tree.js';
import { currentTheme, functionColour } from '../ui/colours.js';
import { attributes, button, make } from '../ui/dom.js';
import { formatCount, formatNumber } from '../ui/format.js';
import { searchFunctions } from '../ui/search.js';
import { stackOfNode } from './flame_path.js';
import { amountCell, differenceCell } from './table_numbers.js';
import { makeRows } from './table_rows.js';
import { NOTHING, pathCell } from './table_text.js';
import type { Open, TreeRows } from './tree_rows.js';
import {
	closeNode,
	findNode,
	listRows,
	MOST_ROWS,
	makeOpen,
	openAll,
	openHottest,
	openNode,
	openOf,
	pathTo,
} from './tree_rows.js';
import { nodeFunc, nodeLine, nodeLines, nodeName, nodePlace } from './tree_text.js';

const DEEP = 16; // from here on names are not moved further to the right: a number says the level
const OPEN_AT_FIRST = 0.1; // the heaviest path is open as long as it has so much of all

type Column = 'total' | 'totalbefore' | 'totaldiff' | 'self' | 'name' | 'file';

const HEADS: Readonly<Record<Column, readonly [string, string]>> = {
	total: ['Total', 'Samples in it and in what it calls'],
	totalbefore: ['Before', 'Total of what it is compared with'],
	totaldiff: ['Difference', 'Total now less total before; of shares in percentage points (pp)'],
	self: ['Self', 'Samples that were in it itself'],
	name: ['Function', ''],
	file: ['File', ''],
};

/** A tree that is open in places, with the place of its cursor. */
interface Opened {
	tree: Tree;
	readonly root: Open;
	keys: readonly number[]; // to the cursor
}

function startTree(root: HTMLElement, app: App) {
	root.classList.add('panel', 'tree-view');
	const invert = button(
		'',
		'Inverted',
		'What used the time itself, and below it what called it (i)',
		() => app.set({ inverted: !app.state.inverted }, 'step'),
	);
	const hot = button('', 'Hottest path', 'Open the heaviest calls, one in the other (h)', () =>
		openHot(),
	);
	const closeAll = button('', 'Close all', 'Close all calls', () => {
		now().root.children.clear();
		now().root.more = false;
		remake();
	});
	const hint = make('span', 'panel-sum dim');
	root.append(make('div', 'panel-tools', invert, hot, closeAll, hint));

	const opened: (Opened | null)[] = [null, null]; // from the roots, inverted
	let shown: Shown = app.shown();
	let list: TreeRows;
	let columns: readonly Column[] = [];
	let columnsKey = '';
	let matches: Uint8Array | null = null;

	const inverted = (): boolean => app.state.inverted;
	const now = (): Opened => {
		const tree = app.tree(inverted());
		const at = inverted() ? 1 : 0;
		const known = opened[at];
		if (known) {
			known.tree = tree;
			return known;
		}
		const made: Opened = { tree, root: makeOpen(), keys: [] };
		const node = openHottest(tree, made.root, 0, inverted() ? 1 : OPEN_AT_FIRST);
		made.keys = pathTo(tree, node).map((n) => tree.key[n]);
		opened[at] = made;
		return made;
	};
	const nodeAt = (index: number): number => (index < 0 ? NONE : list.node[index]);
	const isOpen = (node: number): boolean => openOf(now().tree, now().root, node) !== null;
	const hasChildren = (node: number): boolean => node > 0 && now().tree.firstChild[node] !== NONE;
	const colour = (func: number): string => {
		const colouring = app.state.colouring === 'file' ? 'file' : 'module';
		return functionColour(currentTheme(), shown.tables, func, colouring);
	};

	const nameCell = (index: number): HTMLTableCellElement => {
		const { tree } = now();
		const node = list.node[index];
		const cell = make('td', 'name');
		const level = node === NONE ? tree.depth[list.parent[index]] + 1 : tree.depth[node];
		cell.style.setProperty('--level', String(Math.min(level, DEEP) - 1));
		if (node === NONE) {
			cell.append(make('span', 'twisty', '\u25b8'));
			cell.append(make('span', 'name-text dim', `\u2026 ${formatCount(list.light[index])} more`));
			return cell;
		}
		const sign = hasChildren(node) ? (isOpen(node) ? '\u25be' : '\u25b8') : '';
		const swatch = make('span', 'swatch');
		swatch.style.background = colour(nodeFunc(shown, tree, node));
		cell.append(make('span', 'twisty', sign), swatch);
		if (level > DEEP) cell.append(make('span', 'level', String(level)));
		cell.append(make('span', 'name-text', nodeName(shown, tree, node)));
		return cell;
	};
	const cellOf = (column: Column, index: number): HTMLTableCellElement => {
		const { tree } = now();
		const node = list.node[index];
		const { now: side, before, periodNs } = shown;
		const { unit } = app.state;
		switch (column) {
			case 'total':
				return amountCell(column, list.total[index], side, periodNs, unit);
			case 'totalbefore':
				return amountCell(column, list.before[index], before ?? side, periodNs, unit);
			case 'totaldiff':
				return differenceCell(column, list.total[index], list.before[index], shown, unit);
			case 'self':
				return amountCell(column, node === NONE ? 0 : tree.self[node], side, periodNs, unit);
			case 'name':
				return nameCell(index);
			case 'file':
				return pathCell('file', node === NONE ? '' : nodePlace(shown, tree, node));
		}
	};
	const light = (row: HTMLTableRowElement, index: number): void => {
		const func = nodeFunc(shown, now().tree, nodeAt(index));
		row.classList.toggle('match', func !== NONE && matches?.[func] === 1);
		row.classList.toggle('lit', func !== NONE && app.hover.func === func);
	};
	const stackAt = (node: number): number =>
		inverted() ? NONE : stackOfNode(shown.tables, now().tree, node);
	const menuOf = (index: number): MenuItem[] => {
		const node = nodeAt(index);
		if (node <= 0) return undoItems(app);
		return [
			...frameMenu(app, shown.tables, nodeFunc(shown, now().tree, node), stackAt(node)),
			{ label: '' },
			{ label: 'Open all below', key: '*', run: () => openBelow(node) },
			{ label: 'Open the hottest path', key: 'h', run: () => openHot(node) },
		];
	};
	const rows = makeRows({
		role: 'treegrid',
		label: 'Call tree',
		id: 'tree-row',
		fill(row, index) {
			const { tree } = now();
			const node = list.node[index];
			const level = node === NONE ? tree.depth[list.parent[index]] + 1 : tree.depth[node];
			const opens = node === NONE || hasChildren(node);
			attributes(row, {
				'aria-level': level,
				'aria-posinset': list.place[index],
				'aria-setsize': list.siblings[index],
				'aria-expanded': opens ? String(node !== NONE && isOpen(node)) : null,
			});
			for (const column of columns) row.append(cellOf(column, index));
			light(row, index);
		},
		chosen: (index) => choose(index),
		open: (index) => toggle(index),
		menu: (index, x, y) => app.showMenu(x, y, menuOf(index)),
		hover(index, event) {
			const node = nodeAt(index);
			const { tree } = now();
			if (node <= 0) app.setHover(null);
			else app.setHover({ func: nodeFunc(shown, tree, node), stack: stackAt(node) });
			const lines = node > 0 ? nodeLines(app, shown, tree, node, inverted()) : null;
			app.showTip(event.clientX, event.clientY, lines);
		},
		click(index, event) {
			const onTwisty = event.target instanceof Element && event.target.closest('.twisty');
			if (!onTwisty && list.node[index] !== NONE) return false;
			toggle(index);
			return true;
		},
	});
	const empty = make('p', 'panel-empty dim', NOTHING);
	rows.element.append(empty);
	root.append(rows.element);

	const choose = (index: number): void => {
		const { tree } = now();
		const node = nodeAt(index);
		if (node <= 0) return;
		now().keys = pathTo(tree, node).map((n) => tree.key[n]);
		const func = captureFunc(app.capture, shown.tables, nodeFunc(shown, tree, node));
		if (func !== NONE) app.set({ func, line: nodeLine(shown, tree, node) }, 'move');
	};
	const indexOfNode = (node: number): number => list.node.indexOf(node);
	/** Lists the rows anew; the cursor stays where it is, or where it last was. */
	const remake = (scroll: 'near' | 'middle' | 'no' = 'no'): void => {
		const { tree, root: open, keys } = now();
		list = listRows(tree, open);
		makeHead();
		const top = rows.seen()[0];
		rows.set(list.count);
		empty.hidden = list.count > 0;
		rows.scrollTo(Math.min(top, Math.max(0, list.count - 1)));
		const node = findNode(tree, keys);
		rows.moveTo(node > 0 ? indexOfNode(node) : NONE, scroll);
	};
	const toggle = (index: number): void => {
		const { tree, root: open } = now();
		const node = nodeAt(index);
		if (node === NONE) {
			const parent = list.parent[index];
			const of = parent === 0 ? open : openOf(tree, open, parent);
			if (of) of.more = true;
		} else if (!hasChildren(node)) {
			rows.moveTo(index, 'near');
			choose(index);
			return;
		} else if (isOpen(node)) closeNode(tree, open, node);
		else openNode(tree, open, node);
		if (node !== NONE) now().keys = pathTo(tree, node).map((n) => tree.key[n]);
		remake();
	};
	const openBelow = (node: number): void => {
		const { tree, root: open } = now();
		if (!openAll(tree, open, node)) {
			app.say(`Opened the first ${formatNumber(MOST_ROWS, 'call')}`);
		}
		remake('near');
	};
	const openHot = (from = nodeAt(rows.cursor)): void => {
		const { tree, root: open } = now();
		const node = openHottest(tree, open, Math.max(0, from), 0);
		now().keys = pathTo(tree, node).map((n) => tree.key[n]);
		remake('middle');
		choose(rows.cursor);
	};

	const makeHead = (): void => {
		const compared = now().tree.before !== null;
		const key = `${compared} ${inverted()}`;
		if (key === columnsKey) return;
		columnsKey = key;
		const wide: Column[] = compared ? ['total', 'totalbefore', 'totaldiff'] : ['total'];
		columns = inverted() ? [...wide, 'name', 'file'] : [...wide, 'self', 'name', 'file'];
		rows.table.classList.toggle('compared', compared);
		const cells = columns.map((column) => {
			const [label, title] = HEADS[column];
			const text = inverted() && column === 'total' ? 'Self' : label;
			const what = inverted() && column === 'total' ? 'Samples in the topmost one itself' : title;
			return attributes(make('th', column, text), { scope: 'col', title: what || null });
		});
		rows.head.replaceChildren(attributes(make('tr', '', ...cells), { 'aria-rowindex': 1 }));
	};
	/** Opens the heaviest node of the chosen function, if the cursor is at another one. */
	const follow = (): void => {
		const { tree, root: open } = now();
		const func = shownFunc(app.capture, shown.tables, app.state.func);
		if (func === NONE || nodeFunc(shown, tree, nodeAt(rows.cursor)) === func) return;
		let best = NONE;
		for (let n = 1; n < tree.count; n++) {
			if (nodeFunc(shown, tree, n) !== func) continue;
			if (best === NONE || tree.total[n] > tree.total[best]) best = n;
		}
		if (best === NONE) return;
		const parent = tree.parent[best];
		openNode(tree, open, parent);
		now().keys = pathTo(tree, best).map((n) => tree.key[n]);
		list = listRows(tree, open);
		const hidden = indexOfNode(best) < 0; // it is one of the light ones
		const of = hidden ? openOf(tree, open, parent) : null;
		if (of) of.more = true;
		remake('middle');
	};
	const stepMatch = (by: 1 | -1): boolean => {
		if (!matches || list.count === 0) return false;
		const start = rows.cursor === NONE ? (by > 0 ? -1 : 0) : rows.cursor;
		for (let i = 1; i <= list.count; i++) {
			const at = (start + by * i + list.count * 2) % list.count;
			if (matches[nodeFunc(shown, now().tree, nodeAt(at))] !== 1) continue;
			rows.moveTo(at, 'middle');
			choose(at);
			return true;
		}
		return false;
	};
	const arrow = (event: KeyboardEvent): boolean => {
		const index = rows.cursor;
		const node = nodeAt(index);
		if (event.key === 'ArrowRight') {
			if (index === NONE) return false;
			if (node === NONE || (hasChildren(node) && !isOpen(node))) toggle(index);
			else if (hasChildren(node)) {
				rows.moveTo(index + 1, 'near');
				choose(index + 1);
			}
			return true;
		}
		if (event.key !== 'ArrowLeft' || index === NONE) return false;
		if (node > 0 && hasChildren(node) && isOpen(node)) toggle(index);
		else {
			const parent = indexOfNode(list.parent[index]);
			if (parent >= 0) {
				rows.moveTo(parent, 'near');
				choose(parent);
			}
		}
		return true;
	};

	return {
		update(changed: ReadonlySet<Change>): void {
			const has = (...changes: Change[]): boolean => changes.some((c) => changed.has(c));
			shown = app.shown();
			if (has('search', 'shown')) {
				matches = searchFunctions(shown.tables, app.state.search)?.matches ?? null;
			}
			attributes(invert, { 'aria-pressed': String(inverted()) });
			hint.textContent = inverted()
				? 'On top what used the time itself; below each, what called it.'
				: '';
			const other = has(
				'shown',
				'inverted',
				'unit',
				'search',
				'colours',
				'colouring',
				'granularity',
			);
			if (other) remake(has('inverted') ? 'middle' : 'no');
			if (has('size')) rows.resize();
			if (other || has('func')) follow();
			if (has('hover')) rows.each(light);
		},
		key(event: KeyboardEvent): boolean {
			if (event.ctrlKey || event.metaKey || event.altKey) return false;
			if (arrow(event) || rows.key(event)) return true;
			if (event.key === 'n') return stepMatch(1);
			if (event.key === 'N') return stepMatch(-1);
			if (event.key === '*') {
				openBelow(Math.max(0, nodeAt(rows.cursor)));
				return true;
			}
			if (event.key === 'h') {
				openHot();
				return true;
			}
			return rows.cursor !== NONE && runMenuKey(menuOf(rows.cursor), event);
		},
	};
}

export function makeTreeView(): View {
	let tree: ReturnType<typeof startTree> | null = null;
	return {
		mount(root, app) {
			tree = startTree(root, app);
		},
		update: (changed) => tree?.update(changed),
		key: (event) => tree?.key(event) ?? false,
		help: [
			['Right, Left', 'open a call, close it; or go to what it calls, to what calls it'],
			['Up, Down, Page keys, Home, End', 'move between rows'],
			['Enter, double click', 'open or close a call'],
			['*', 'open all below a call'],
			['h', 'open the hottest path'],
			['i', 'inverted: callers below callees'],
			['Right click, long press, Shift+F10', 'menu of a call'],
		],
	};
}
