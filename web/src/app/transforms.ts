// SPDX-License-Identifier: MIT
/**
 * The menu of a frame, the same in every view: transforms, jumps and copies. Also between functions
 * as shown (which may be files or modules) and functions of the capture, which the state holds.
 */
import type { Capture } from '../data/capture.js';
import { FunctionKind, NONE } from '../data/capture.js';
import { visible } from '../draw/text.js';
import type { ShownTables } from '../model/shown.js';
import { titleOf } from '../ui/search.js';
import type { App, MenuItem } from './app.js';
import type { State, Transform } from './state.js';

/**
 * A function of the capture for one as shown: itself, or for a file or a module the first function
 * that is part of it. NONE if there is none.
 */
export function captureFunc(capture: Capture, tables: ShownTables, func: number): number {
	const own = tables.funcOwn[func] ?? NONE;
	if (own !== NONE || func < 0) return own;
	const { functions, places } = capture;
	const file = tables.funcFile[func];
	const module = tables.funcModule[func];
	for (let f = 0; f < functions.count; f++) {
		if (functions.kind[f] !== FunctionKind.Python) continue;
		const place = places.get(functions.file[f]);
		if (place && (file ? place.short === file : place.module === module)) return f;
	}
	return NONE;
}

/** The function as shown that a function of the capture is, or is part of; NONE if it is not shown. */
export function shownFunc(capture: Capture, tables: ShownTables, func: number): number {
	if (func < 0 || func >= capture.functions.count) return NONE;
	const exact = tables.funcOwn.indexOf(func);
	if (exact >= 0) return exact;
	const place = capture.places.get(capture.functions.file[func]);
	if (!place) return NONE;
	const byFile = tables.funcFile.findIndex(
		(file, f) => file !== '' && file === place.short && tables.funcOwn[f] === NONE,
	);
	if (byFile >= 0) return byFile;
	return tables.funcModule.findIndex(
		(module, f) => module !== '' && module === place.module && tables.funcOwn[f] === NONE,
	);
}

/** Functions of the capture along a stack as shown, root first; null if a frame is none. */
function pathOf(tables: ShownTables, stack: number): number[] | null {
	const path: number[] = [];
	for (let s = stack; s !== NONE; s = tables.stackParent[s]) {
		const own = tables.funcOwn[tables.frameFunc[tables.stackFrame[s]]];
		if (own === NONE) return null;
		path.push(own);
	}
	return path.reverse();
}

/** A stack as text, root first, a frame per line: "name (file:line)". */
export function stackText(tables: ShownTables, stack: number): string {
	const lines: string[] = [];
	for (let s = stack; s !== NONE; s = tables.stackParent[s]) {
		const frame = tables.stackFrame[s];
		const func = tables.frameFunc[frame];
		const line = tables.frameLine[frame];
		const title = titleOf(tables, func);
		lines.push(line ? title.replace(/(:\d+)?\)$/, `:${line})`) : title);
	}
	return lines.reverse().join('\n');
}

const short = (text: string): string => (text.length > 48 ? `${text.slice(0, 47)}…` : text);

/** What a transform does, in a few words, for chips: "without json.loads". */
export function describeTransform(app: App, t: Transform): string {
	const { functions, strings } = app.capture;
	const nameOf = (f: number): string => short(strings[functions.name[f] ?? 0] || '?');
	switch (t.kind) {
		case 'focus':
			return `focus on ${nameOf(t.func)}`;
		case 'only':
			return `only stacks with ${nameOf(t.func)}`;
		case 'drop':
			return `no stacks with ${nameOf(t.func)}`;
		case 'merge':
			return `${nameOf(t.func)} merged into its callers`;
		case 'recursion':
			return t.func === NONE ? 'recursion collapsed' : `recursion of ${nameOf(t.func)} collapsed`;
		case 'library':
			return `module ${short(t.module)} collapsed`;
		case 'path':
			return `only below ${t.funcs.slice(-2).map(nameOf).join(' › ')}`;
	}
}

/** Adds a transform; zooming starts anew, as the boxes are others. */
export function addTransform(app: App, t: Transform): void {
	app.set({ transforms: [...app.state.transforms, t], zoom: [] }, 'step');
}

function transformItems(
	app: App,
	tables: ShownTables,
	func: number,
	stack: number,
): readonly MenuItem[] {
	const own = tables.funcOwn[func] ?? NONE;
	const items: MenuItem[] = [];
	const item = (label: string, key: string, t: Transform): void => {
		items.push({ label, key, run: () => addTransform(app, t) });
	};
	if (own !== NONE) {
		const path = pathOf(tables, stack);
		item('Focus on this function', 'f', { kind: 'focus', func: own });
		if (path && path.length > 0) item('Focus on this path', 'p', { kind: 'path', funcs: path });
		item('Keep only stacks with it', 'k', { kind: 'only', func: own });
		item('Drop stacks with it', 'x', { kind: 'drop', func: own });
		item('Merge it into its callers', 'm', { kind: 'merge', func: own });
		item('Collapse its recursion', 'r', { kind: 'recursion', func: own });
	}
	item('Collapse all recursion', 'Shift+R', { kind: 'recursion', func: NONE });
	const module = tables.funcModule[func];
	if (module && tables.funcKind[func] !== FunctionKind.Mark) {
		item(`Collapse module ${short(module)}`, 'l', { kind: 'library', module });
	}
	return items;
}

/** Jumps to a view with the function chosen; nothing if the capture has none for it. */
export function goTo(
	app: App,
	tables: ShownTables,
	func: number,
	view: State['view'],
	line = 0,
): void {
	const own = captureFunc(app.capture, tables, func);
	if (own === NONE) app.say('there is no single function behind this');
	else app.set({ view, func: own, line }, 'step');
}

const escapeRegex = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

function jumpItems(app: App, tables: ShownTables, func: number, stack: number): MenuItem[] {
	const name = tables.funcName[func] ?? '';
	const line = stack === NONE ? 0 : tables.frameLine[tables.stackFrame[stack]];
	const search = app.state.search;
	const items: MenuItem[] = [];
	if (captureFunc(app.capture, tables, func) !== NONE) {
		items.push(
			{
				label: 'Show in sandwich',
				key: 'b',
				run: () => goTo(app, tables, func, 'sandwich'),
			},
			{
				label: 'Show source',
				key: 'o',
				run: () => goTo(app, tables, func, 'source', line),
			},
			{ label: 'Show in table', key: 'Shift+T', run: () => goTo(app, tables, func, 'table') },
		);
	}
	items.push({
		label: 'Search for it',
		key: 'e',
		run: () =>
			app.set({ search: { ...search, text: search.regex ? escapeRegex(name) : name } }, 'step'),
	});
	items.push({
		label: 'Copy name',
		key: 'c',
		run: () => app.copy(titleOf(tables, func), 'name'),
	});
	if (stack !== NONE) {
		items.push({
			label: 'Copy stack',
			key: 'Shift+C',
			run: () => app.copy(stackText(tables, stack), 'stack'),
		});
	}
	return items;
}

/** "Undo ..." and "Clear ...", if there are transforms. */
export function undoItems(app: App): MenuItem[] {
	const { transforms } = app.state;
	const last = transforms.at(-1);
	if (!last) return [];
	return [
		{
			label: `Undo: ${describeTransform(app, last)}`,
			key: 'u',
			run: () => app.set({ transforms: transforms.slice(0, -1), zoom: [] }, 'step'),
		},
		{
			label: 'Clear all transforms',
			key: 'Shift+U',
			run: () => app.set({ transforms: [], zoom: [] }, 'step'),
		},
	];
}

/**
 * Menu of a frame: `func` of the shown tables, and the stack as shown that ends in it, or NONE if it
 * stands for many (then what needs a path is left out). Items with an empty label part groups.
 */
export function frameMenu(app: App, tables: ShownTables, func: number, stack: number): MenuItem[] {
	if (func < 0 || func >= tables.funcCount) return undoItems(app);
	const undo = undoItems(app);
	return [
		{ label: short(visible(titleOf(tables, func).slice(0, 500))) },
		...transformItems(app, tables, func, stack),
		{ label: '' },
		...jumpItems(app, tables, func, stack),
		...(undo.length ? [{ label: '' }, ...undo] : []),
	];
}

/** Runs the item of a menu whose key was pressed; false if there is none. */
export function runMenuKey(items: readonly MenuItem[], event: KeyboardEvent): boolean {
	if (event.ctrlKey || event.metaKey || event.altKey) return false;
	const letter = event.key.length === 1 ? event.key.toUpperCase() : event.key;
	const name = event.shiftKey ? `Shift+${letter}` : letter.toLowerCase();
	const item = items.find((i) => i.run && i.key === name);
	item?.run?.();
	return item !== undefined;
}
