// SPDX-License-Identifier: MIT
/**
 * Many rows in a true table that scrolls: only those in view (and a few around) are in the page, in
 * the place of the others there is one row above and one below. Table, call tree and source use it.
 *
 * The table has the focus, one of its rows is the cursor (aria-activedescendant).
 */
import { NONE } from '../data/capture.js';
import { attributes, make } from '../ui/dom.js';

const AROUND = 10; // rows drawn beyond what is seen, so that scrolling does not show holes
const MOST_PX = 8e6; // browsers cannot lay out more than some 10 million pixels
const MOST_PRINTED = 500;
const PRESS_MS = 500;
const PRESS_SLACK_PX = 10;

export interface RowsOptions {
	readonly role: 'grid' | 'treegrid';
	readonly label: string;
	readonly id: string; // begins the ids of rows
	/** Fills an empty row of the table. */
	fill(row: HTMLTableRowElement, index: number): void;
	/** The cursor was moved by the user, by keys or a click. */
	chosen(index: number): void;
	/** Double click, or Enter. */
	open(index: number): void;
	/** Right click, long press, or the key for it; where. */
	menu(index: number, x: number, y: number): void;
	/** The pointer is over a row; NONE: over none any more. */
	hover(index: number, event: PointerEvent): void;
	/** A click, before the cursor moves: true if that is all it does. */
	click?(index: number, event: MouseEvent): boolean;
}

export interface Rows {
	readonly element: HTMLElement; // scrolls
	readonly table: HTMLTableElement;
	readonly head: HTMLTableSectionElement;
	readonly cursor: number; // NONE: none
	/** There are so many rows now, and they are others: those in view are made anew. */
	set(count: number): void;
	/** Moves the cursor without telling chosen(); scrolls there if `scroll`. */
	moveTo(index: number, scroll: 'near' | 'middle' | 'no'): void;
	/** Scrolls so that a row is on top, as far as there are rows. */
	scrollTo(index: number): void;
	/** The rows that are in view: first and end. */
	seen(): readonly [number, number];
	/** For each row that is in the page. */
	each(run: (row: HTMLTableRowElement, index: number) => void): void;
	/** Arrows up and down, Page keys, Home, End, Enter, the menu key; true if it was one. */
	key(event: KeyboardEvent): boolean;
	/** After its size changed. */
	resize(): void;
	onScroll: (() => void) | null;
}

export function makeRows(o: RowsOptions): Rows {
	const head = make('thead');
	const [above, below] = [make('tr', 'rows-gap'), make('tr', 'rows-gap')];
	const body = make('tbody', '', above, below);
	const table = attributes(make('table', '', head, body), {
		role: o.role,
		'aria-label': o.label,
		tabindex: 0,
	});
	for (const gap of [above, below]) attributes(gap, { 'aria-hidden': 'true' });
	const element = make('div', 'rows', table);
	const indexes = new WeakMap<Element, number>();
	let count = 0;
	let cursor = NONE;
	let from = 0; // rows from .. from + made.length - 1 are in the page
	let made: HTMLTableRowElement[] = [];
	let px = 24;
	let printing = false;

	// asked for once: what is read between changes makes the browser lay out all of it
	let seenPx = px;
	let scrolledPx = 0;
	const heightPx = (): number => Math.min(count * px, MOST_PX);
	/** How much further rows move than the scroll bar. */
	const scale = (): number => {
		const room = heightPx() - seenPx;
		return count * px > MOST_PX && room > 0 ? (count * px - seenPx) / room : 1;
	};
	const topPx = (): number => scrolledPx * scale();
	const seen = (): readonly [number, number] => {
		const first = Math.max(0, Math.min(count, Math.floor(topPx() / px)));
		return [first, Math.min(count, first + Math.ceil(seenPx / px) + 1)];
	};
	const point = (): void => {
		const row = made[cursor - from];
		attributes(table, { 'aria-activedescendant': row ? row.id : null });
	};
	const makeRow = (index: number): HTMLTableRowElement => {
		const row = make('tr', index === cursor ? 'cursor' : '');
		indexes.set(row, index);
		attributes(row, {
			id: `${o.id}-${index}`,
			'aria-rowindex': index + 2, // the head is the first
			'aria-selected': String(index === cursor),
		});
		o.fill(row, index);
		return row;
	};
	const setGaps = (): void => {
		const inPage = made.length * px;
		const over = scale() === 1 ? from * px : scrolledPx - (topPx() - from * px);
		const first = Math.max(0, Math.min(over, heightPx() - inPage));
		above.style.height = `${first}px`;
		below.style.height = `${Math.max(0, heightPx() - inPage - first)}px`;
		// a row without height is still a row for those who count them
		above.hidden = printing || first === 0;
		below.hidden = printing || heightPx() - inPage - first <= 0;
	};
	const dropAll = (): void => {
		for (const row of made) row.remove();
		made = [];
	};
	const draw = (): void => {
		const [first, end] = printing ? [0, Math.min(count, MOST_PRINTED)] : seen();
		const enough = first >= from && end <= from + made.length;
		if (enough && scale() === 1) return;
		const to = Math.min(count, end + AROUND);
		const start = Math.max(0, first - AROUND);
		if (start >= from + made.length || to <= from) {
			dropAll();
			from = start;
		}
		while (from < start && made.length > 0) {
			made.shift()?.remove();
			from++;
		}
		while (made.length > Math.max(0, to - from)) made.pop()?.remove();
		for (; from > start; from--) {
			const row = makeRow(from - 1);
			above.after(row);
			made.unshift(row);
		}
		while (from + made.length < to) {
			const row = makeRow(from + made.length);
			below.before(row);
			made.push(row);
		}
		setGaps();
		point();
	};
	const measure = (): void => {
		px = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 24;
		seenPx = Math.max(px, element.clientHeight - head.offsetHeight);
		scrolledPx = element.scrollTop;
	};
	const scrollPx = (top: number): void => {
		element.scrollTop = top / scale();
		scrolledPx = element.scrollTop;
		draw();
	};
	const reveal = (index: number, how: 'near' | 'middle'): void => {
		const [top, room] = [topPx(), seenPx];
		if (index * px >= top && (index + 1) * px <= top + room) return;
		const middle = index * px - (room - px) / 2;
		const near = index * px < top ? index * px : (index + 1) * px - room;
		scrollPx(Math.max(0, how === 'middle' ? middle : near));
	};
	const moveTo = (index: number, scroll: 'near' | 'middle' | 'no'): void => {
		const mark = (at: number, on: boolean): void => {
			const row = made[at - from];
			row?.classList.toggle('cursor', on);
			row?.setAttribute('aria-selected', String(on));
		};
		if (index !== cursor) {
			mark(cursor, false);
			cursor = index;
			mark(cursor, true);
		}
		if (scroll !== 'no' && index !== NONE) reveal(index, scroll);
		point();
	};
	const choose = (index: number): void => {
		moveTo(index, 'near');
		o.chosen(index);
	};
	const indexAt = (target: EventTarget | null): number => {
		const row = target instanceof Element ? target.closest('tbody > tr') : null;
		return row ? (indexes.get(row) ?? NONE) : NONE;
	};
	const menuAtCursor = (): boolean => {
		const row = made[cursor - from];
		if (!row) return false;
		const box = row.getBoundingClientRect();
		o.menu(cursor, box.left + Math.min(160, box.width / 2), box.bottom);
		return true;
	};
	const stepOf = (key: string): number | null => {
		const page = Math.max(1, Math.floor(seenPx / px) - 1);
		const at = cursor === NONE ? seen()[0] : cursor;
		const steps: Readonly<Record<string, number>> = {
			ArrowDown: cursor === NONE ? at : at + 1,
			ArrowUp: at - 1,
			PageDown: at + page,
			PageUp: at - page,
			Home: 0,
			End: count - 1,
		};
		return steps[key] ?? null;
	};
	const key = (event: KeyboardEvent): boolean => {
		if (event.ctrlKey || event.metaKey || event.altKey || count === 0) return false;
		if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
			return menuAtCursor();
		}
		if (event.key === 'Enter' && cursor !== NONE) {
			o.open(cursor);
			return true;
		}
		const to = event.shiftKey ? null : stepOf(event.key);
		if (to === null) return false;
		choose(Math.max(0, Math.min(count - 1, to)));
		return true;
	};

	element.addEventListener('scroll', () => {
		scrolledPx = element.scrollTop;
		draw();
		rows.onScroll?.();
	});
	table.addEventListener('click', (event) => {
		const index = indexAt(event.target);
		if (index !== NONE && !o.click?.(index, event)) choose(index);
	});
	table.addEventListener('dblclick', (event) => {
		const index = indexAt(event.target);
		if (index !== NONE) o.open(index);
	});
	const showMenu = (index: number, x: number, y: number): void => {
		moveTo(index, 'no');
		o.menu(index, x, y);
	};
	table.addEventListener('contextmenu', (event) => {
		const index = indexAt(event.target);
		if (index === NONE) return;
		event.preventDefault();
		showMenu(index, event.clientX, event.clientY);
	});
	table.addEventListener('pointermove', (event) => {
		if (event.pointerType !== 'touch') o.hover(indexAt(event.target), event);
	});
	table.addEventListener('pointerleave', (event) => o.hover(NONE, event));
	listenLongPress(table, (event) => {
		const index = indexAt(event.target);
		if (index !== NONE) showMenu(index, event.clientX, event.clientY);
	});
	new ResizeObserver(() => {
		measure();
		draw();
	}).observe(element);
	addEventListener('beforeprint', () => {
		printing = element.isConnected && element.clientHeight > 0;
		if (!printing) return;
		draw();
		setGaps();
	});
	addEventListener('afterprint', () => {
		if (!printing) return;
		printing = false;
		setGaps();
		draw();
	});

	const rows: Rows = {
		element,
		table,
		head,
		get cursor() {
			return cursor;
		},
		set(next) {
			count = next;
			cursor = NONE;
			measure();
			attributes(table, { 'aria-rowcount': count + 1 });
			dropAll();
			from = 0;
			setGaps();
			// fewer rows may have scrolled it
			scrolledPx = element.scrollTop;
			draw();
		},
		moveTo,
		scrollTo: (index) => scrollPx(index * px),
		seen,
		each(run) {
			made.forEach((row, i) => {
				run(row, from + i);
			});
		},
		key,
		resize() {
			measure();
			draw();
		},
		onScroll: null,
	};
	return rows;
}

/** Some browsers tell no long press by an event of its own. */
function listenLongPress(element: HTMLElement, run: (event: PointerEvent) => void): void {
	let timer = 0;
	let start: PointerEvent | null = null;
	const stop = (): void => {
		clearTimeout(timer);
		start = null;
	};
	element.addEventListener('pointerdown', (event) => {
		stop();
		if (event.pointerType !== 'touch') return;
		start = event;
		timer = window.setTimeout(() => run(event), PRESS_MS);
	});
	element.addEventListener('pointermove', (event) => {
		if (!start) return;
		const far = Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY);
		if (far > PRESS_SLACK_PX) stop();
	});
	for (const end of ['pointerup', 'pointercancel', 'contextmenu', 'scroll']) {
		element.addEventListener(end, stop);
	}
}
