// SPDX-License-Identifier: MIT
/** The list of functions beside the sandwich: filtered, sorted, only the rows in view are there. */
import type { App } from '../app/app.js';
import { NONE } from '../data/capture.js';
import { visible } from '../draw/text.js';
import { functionSums } from '../model/functions.js';
import type { Shown } from '../model/shown.js';
import { formatPercent } from '../ui/format.js';
import { makeMatcher, titleOf } from '../ui/search.js';
import { add, addButton } from './flame_tools.js';

export type Order = 'self' | 'total';

/** Functions with samples, the heaviest first, whose title matches the filter (plain text). */
export function listFunctions(shown: Shown, order: Order, filter: string): number[] {
	const sums = functionSums(shown);
	const { test } = makeMatcher({ text: filter, regex: false, caseSensitive: false });
	const found: number[] = [];
	const weight = (f: number): number => sums.total[f] + (sums.beforeTotal?.[f] ?? 0);
	for (let f = 0; f < shown.tables.funcCount; f++) {
		if (weight(f) > 0 && (filter === '' || test(titleOf(shown.tables, f)))) found.push(f);
	}
	const by = order === 'self' ? sums.self : sums.total;
	const then = sums.total;
	return found.sort((a, b) => by[b] - by[a] || then[b] - then[a] || a - b);
}

export interface FunctionList {
	/** Anew from what is shown; `func` of its tables is the chosen one. */
	update(func: number): void;
	/** Moves the choice; false if there is nowhere to go. */
	step(by: number): boolean;
}

const rowHeight = (): number => (matchMedia('(pointer: coarse)').matches ? 36 : 24);

/** `choose` is told a function of the shown tables. */
export function makeFunctionList(
	host: HTMLElement,
	app: App,
	choose: (func: number) => void,
): FunctionList {
	const root = add(host, 'div', 'sandwich-list');
	const input = add(root, 'input');
	input.type = 'search';
	input.placeholder = 'Filter functions';
	input.setAttribute('aria-label', 'Filter functions');
	const heads = add(root, 'div', 'sandwich-heads');
	add(heads, 'span', '', 'Function');
	let order: Order = 'self';
	const head = (by: Order, text: string): HTMLButtonElement =>
		addButton(heads, text, `Order by ${by}`, () => {
			order = by;
			refresh();
		});
	const buttons = { self: head('self', 'Self'), total: head('total', 'Total') };
	const rows = add(root, 'div', 'sandwich-rows');
	rows.tabIndex = 0;
	rows.setAttribute('role', 'listbox');
	rows.setAttribute('aria-label', 'Functions, with self and total');
	const spacer = add(rows, 'div');
	let list: number[] = [];
	let chosen = NONE;
	let shown: Shown | null = null;

	const makeRow = (index: number, px: number): HTMLElement => {
		const func = list[index];
		const { tables, now } = app.shown();
		const sums = functionSums(app.shown());
		const row = document.createElement('div');
		row.className = 'sandwich-row';
		row.id = `sandwich-row-${index}`;
		row.setAttribute('role', 'option');
		row.setAttribute('aria-selected', String(func === chosen));
		row.setAttribute('aria-posinset', String(index + 1));
		row.setAttribute('aria-setsize', String(list.length));
		row.style.top = `${index * px}px`;
		row.style.height = `${px}px`;
		const title = visible(titleOf(tables, func).slice(0, 500));
		const name = add(row, 'span', '', visible((tables.funcName[func] || '?').slice(0, 300)));
		name.title = title;
		const sum = now.sum || 1;
		add(row, 'span', '', formatPercent(sums.self[func] / sum)).title = 'self';
		add(row, 'span', '', formatPercent(sums.total[func] / sum)).title = 'total';
		row.addEventListener('click', () => choose(func));
		return row;
	};

	const draw = (): void => {
		const px = rowHeight();
		spacer.style.height = `${list.length * px}px`;
		const from = Math.max(0, Math.floor(rows.scrollTop / px) - 4);
		const to = Math.min(list.length, from + Math.ceil((rows.clientHeight || 400) / px) + 8);
		const made = [];
		for (let i = from; i < to; i++) made.push(makeRow(i, px));
		rows.replaceChildren(spacer, ...made);
		const at = list.indexOf(chosen);
		if (at >= from && at < to) rows.setAttribute('aria-activedescendant', `sandwich-row-${at}`);
		else rows.removeAttribute('aria-activedescendant');
	};
	const refresh = (): void => {
		list = listFunctions(app.shown(), order, input.value);
		for (const by of ['self', 'total'] as const) {
			buttons[by].setAttribute('aria-pressed', String(by === order));
		}
		draw();
	};
	const reveal = (): void => {
		const px = rowHeight();
		const y = list.indexOf(chosen) * px;
		if (y < 0) return;
		if (y < rows.scrollTop || y + px > rows.scrollTop + rows.clientHeight) {
			rows.scrollTop = Math.max(0, y - rows.clientHeight / 3);
		}
	};
	const step = (by: number): boolean => {
		const at = list.indexOf(chosen);
		const next = list[at < 0 ? 0 : at + by];
		if (next === undefined) return false;
		choose(next);
		return true;
	};

	input.addEventListener('input', refresh);
	rows.addEventListener('scroll', draw, { passive: true });
	rows.addEventListener('keydown', (event) => {
		const by = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
		if (by === 0 || !step(by)) return;
		event.preventDefault();
		event.stopPropagation();
	});
	new ResizeObserver(draw).observe(rows);
	return {
		update(func) {
			const moved = chosen !== func;
			chosen = func;
			if (shown !== app.shown()) {
				shown = app.shown();
				refresh();
			}
			if (moved) reveal();
			draw();
		},
		step,
	};
}
