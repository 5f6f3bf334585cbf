// SPDX-License-Identifier: MIT
/** The table: functions, files, modules or lines with self and total, to sort and to filter. */
import type { App, Change, MenuItem, View } from '../app/app.js';
import type { State } from '../app/state.js';
import { captureFunc, frameMenu, goTo, runMenuKey, shownFunc } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import type { Shown } from '../model/shown.js';
import { currentTheme, functionColour } from '../ui/colours.js';
import { attributes, button, make } from '../ui/dom.js';
import { formatCount, formatNumber } from '../ui/format.js';
import { searchFunctions } from '../ui/search.js';
import type { SortKey, TableRows } from './table_model.js';
import { makeFilter, orderRows, placeText, readOrder, tableRows } from './table_model.js';
import { amountCell, differenceCell } from './table_numbers.js';
import { makeRows } from './table_rows.js';
import { NOTHING, pathCell, rowLines, shortened, sumPhrase, tsvOf } from './table_text.js';

interface Column {
	readonly key: SortKey;
	readonly label: string;
	readonly title: string;
}

const WORDS: Readonly<Record<State['granularity'], readonly [string, string]>> = {
	lines: ['line', 'lines'],
	functions: ['function', 'functions'],
	files: ['file', 'files'],
	modules: ['module', 'modules'],
};

const NAMES: Readonly<Record<State['granularity'], string>> = {
	lines: 'Function',
	functions: 'Function',
	files: 'File',
	modules: 'Module',
};

function columnsOf(granularity: State['granularity'], compared: boolean): Column[] {
	const weights = (key: 'self' | 'total', label: string, title: string): Column[] => [
		{ key, label, title },
		...(compared
			? ([
					{
						key: `${key}before`,
						label: `${label} before`,
						title: `${label} of what it is compared with`,
					},
					{
						key: `${key}diff`,
						label: 'Difference',
						title: `${label} now less ${label.toLowerCase()} before; of shares in percentage points (pp)`,
					},
				] as const)
			: []),
	];
	const columns = [
		...weights('self', 'Self', 'Samples that were in it itself'),
		...weights('total', 'Total', 'Samples that had it anywhere in their stack'),
		{ key: 'name', label: NAMES[granularity], title: '' } as const,
	];
	const place: Column = {
		key: 'file',
		label: granularity === 'lines' ? 'Line' : 'File',
		title: granularity === 'lines' ? '' : 'Where it begins',
	};
	const module: Column = { key: 'module', label: 'Module', title: '' };
	if (granularity === 'modules') return columns;
	return granularity === 'files' ? [...columns, module] : [...columns, place, module];
}

function startTable(root: HTMLElement, app: App) {
	root.classList.add('panel', 'table-view');
	const input = attributes(make('input', 'panel-filter'), {
		type: 'search',
		placeholder: 'Filter: text or /regex/',
		'aria-label': 'Filter the rows: text, or a regular expression between slashes',
	});
	const found = attributes(make('span', 'panel-sum dim'), { role: 'status' });
	const copy = button('', 'Copy', 'Copy the rows as a table (TSV), as they are sorted', () =>
		copyRows(),
	);
	root.append(make('div', 'panel-tools', input, found, copy));

	let shown: Shown = app.shown();
	let list: TableRows = tableRows(shown, false);
	let order: Int32Array = new Int32Array();
	let matches: Uint8Array | null = null;
	let columns: readonly Column[] = [];
	let columnsKey = '';

	const funcAt = (index: number): number => (index < 0 ? NONE : list.func[order[index]]);
	const lineAt = (index: number): number => (index < 0 ? 0 : list.line[order[index]]);
	const copyRows = (): void => {
		app.copy(tsvOf(shown, list, order), formatNumber(order.length, 'row'));
	};
	const sortBy = (key: SortKey): void => {
		const now = readOrder(app.state.sort);
		app.set({ sort: now.key === key && !now.reversed ? `-${key}` : key }, 'step');
	};
	const menuOf = (index: number): MenuItem[] => [
		...frameMenu(app, shown.tables, funcAt(index), NONE),
		{ label: '' },
		{ label: 'Copy all rows as a table', run: copyRows },
	];

	const nameCell = (func: number): HTMLTableCellElement => {
		const cell = make('td', 'name');
		const swatch = make('span', 'swatch');
		const colouring = app.state.colouring === 'file' ? 'file' : 'module';
		swatch.style.background = functionColour(currentTheme(), shown.tables, func, colouring);
		cell.append(swatch, make('span', 'name-text', shortened(shown.tables.funcName[func] || '?')));
		return cell;
	};
	const cellOf = (key: SortKey, row: number): HTMLTableCellElement => {
		const func = list.func[row];
		const { now, before, periodNs, tables } = shown;
		const { unit } = app.state;
		const beforeOf = (values: Float64Array | null): number => values?.[row] ?? 0;
		switch (key) {
			case 'self':
			case 'total':
				return amountCell(key, list[key][row], now, periodNs, unit);
			case 'selfbefore':
				return amountCell(key, beforeOf(list.beforeSelf), before ?? now, periodNs, unit);
			case 'totalbefore':
				return amountCell(key, beforeOf(list.beforeTotal), before ?? now, periodNs, unit);
			case 'selfdiff':
				return differenceCell(key, list.self[row], beforeOf(list.beforeSelf), shown, unit);
			case 'totaldiff':
				return differenceCell(key, list.total[row], beforeOf(list.beforeTotal), shown, unit);
			case 'name':
				return nameCell(func);
			case 'file':
				return pathCell('file', placeText(shown, list, row));
			case 'module':
				return pathCell('module', tables.funcModule[func]);
		}
	};
	const light = (row: HTMLTableRowElement, index: number): void => {
		const func = funcAt(index);
		row.classList.toggle('match', matches?.[func] === 1);
		row.classList.toggle('lit', app.hover.func !== NONE && app.hover.func === func);
	};
	const rows = makeRows({
		role: 'grid',
		label: 'Functions with self and total',
		id: 'table-row',
		fill(row, index) {
			for (const { key } of columns) row.append(cellOf(key, order[index]));
			light(row, index);
		},
		chosen(index) {
			const func = captureFunc(app.capture, shown.tables, funcAt(index));
			if (func !== NONE) app.set({ func, line: lineAt(index) }, 'move');
		},
		open: (index) => goTo(app, shown.tables, funcAt(index), 'sandwich', lineAt(index)),
		menu: (index, x, y) => app.showMenu(x, y, menuOf(index)),
		hover(index, event) {
			const row = order[index];
			app.setHover(index === NONE ? null : { func: funcAt(index) });
			app.showTip(
				event.clientX,
				event.clientY,
				index === NONE ? null : rowLines(app, shown, list, row),
			);
		},
	});
	root.append(rows.element);

	const makeHead = (): void => {
		columns = columnsOf(app.state.granularity, shown.before !== null);
		const key = `${app.state.granularity} ${shown.before !== null}`;
		if (key !== columnsKey) {
			columnsKey = key;
			rows.table.classList.toggle('compared', shown.before !== null);
			const cells = columns.map((column) => {
				const head = button('', column.label, column.title, () => sortBy(column.key));
				return attributes(make('th', column.key, head), { scope: 'col' });
			});
			rows.head.replaceChildren(attributes(make('tr', '', ...cells), { 'aria-rowindex': 1 }));
		}
		const sorted = readOrder(app.state.sort);
		const isText = ['name', 'file', 'module'].includes(sorted.key);
		const way = sorted.reversed === isText ? 'descending' : 'ascending';
		rows.head.querySelectorAll('th').forEach((cell, i) => {
			attributes(cell, { 'aria-sort': columns[i]?.key === sorted.key ? way : null });
		});
	};
	/** The row of the chosen function, and of its line if there are lines. */
	const chosenRow = (): number => {
		const { func: own, line } = app.state;
		const func = shownFunc(app.capture, shown.tables, own);
		if (func === NONE) return NONE;
		const exact = order.findIndex((row) => list.func[row] === func && list.line[row] === line);
		return exact >= 0 ? exact : order.findIndex((row) => list.func[row] === func);
	};
	const remake = (): void => {
		const { granularity, filter, sort, unit, search } = app.state;
		const words = WORDS[granularity];
		matches = searchFunctions(shown.tables, search)?.matches ?? null;
		order = orderRows(shown, list, filter, sort, unit);
		makeHead();
		rows.set(order.length);
		const { error } = makeFilter(filter);
		attributes(input, { 'aria-invalid': error !== '', title: error || null });
		found.textContent = sumPhrase(shown, list, order, words, formatCount);
		rows.table.setAttribute('aria-label', `${NAMES[granularity]}s with self and total`);
		empty.hidden = order.length > 0;
		empty.textContent = list.count > 0 ? 'No row passes the filter.' : NOTHING;
	};
	const empty = make('p', 'panel-empty dim');
	rows.element.append(empty);

	const update = (changed: ReadonlySet<Change>): void => {
		const has = (...changes: Change[]): boolean => changes.some((c) => changed.has(c));
		if (has('shown', 'granularity')) {
			shown = app.shown();
			list = tableRows(shown, app.state.granularity === 'lines');
		}
		if (has('filter') && input.value !== app.state.filter) input.value = app.state.filter;
		const other = has(
			'shown',
			'granularity',
			'sort',
			'filter',
			'unit',
			'search',
			'colours',
			'colouring',
		);
		if (other) remake();
		if (has('size')) rows.resize();
		if (other || has('func', 'line')) {
			const at = chosenRow();
			if (at !== rows.cursor)
				rows.moveTo(at, has('capture') ? 'no' : other && !has('shown') ? 'near' : 'middle');
		}
		if (has('hover')) rows.each(light);
	};
	input.addEventListener('input', () => app.set({ filter: input.value }, 'move'));
	input.addEventListener('keydown', (event) => {
		if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
		rows.table.focus({ preventScroll: true });
		if (event.key === 'ArrowDown') rows.key(event);
		event.preventDefault();
	});
	const stepMatch = (by: 1 | -1): boolean => {
		if (!matches || order.length === 0) return false;
		const start = rows.cursor === NONE ? (by > 0 ? -1 : 0) : rows.cursor;
		for (let i = 1; i <= order.length; i++) {
			const at = (start + by * i + order.length * 2) % order.length;
			if (matches[funcAt(at)] !== 1) continue;
			rows.moveTo(at, 'middle');
			const func = captureFunc(app.capture, shown.tables, funcAt(at));
			if (func !== NONE) app.set({ func, line: lineAt(at) }, 'move');
			return true;
		}
		return false;
	};
	return {
		update,
		key(event: KeyboardEvent): boolean {
			if (rows.key(event)) return true;
			if (event.ctrlKey || event.metaKey || event.altKey) return false;
			if (event.key === 'n') return stepMatch(1);
			if (event.key === 'N') return stepMatch(-1);
			if (event.key === 'y') {
				copyRows();
				return true;
			}
			return rows.cursor !== NONE && runMenuKey(menuOf(rows.cursor), event);
		},
	};
}

export function makeTable(): View {
	let table: ReturnType<typeof startTable> | null = null;
	return {
		mount(root, app) {
			table = startTable(root, app);
		},
		update: (changed) => table?.update(changed),
		key: (event) => table?.key(event) ?? false,
		help: [
			['Click on a column', 'sort by it, again: the other way round'],
			['Arrow keys, Page Up, Page Down, Home, End', 'move between rows'],
			['Enter, double click', 'open the sandwich of a function'],
			['Right click, long press, Shift+F10', 'menu of a row'],
			['o', 'source of a function'],
			['y', 'copy the rows as a table'],
		],
	};
}
