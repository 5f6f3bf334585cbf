// SPDX-License-Identifier: MIT
/** The filter of threads and processes: a list with boxes to tick, counts, and a field to narrow it. */
import type { Change } from '../app/app.js';
import type { PageApp } from '../app/page_app.js';
import type { Process, Thread } from '../data/capture.js';
import { attributes, button, make } from './dom.js';
import { formatCount, formatNumber } from './format.js';
import { makePopover } from './popover.js';

const MOST_ROWS = 400;

export interface ThreadFilter {
	readonly element: HTMLElement;
	update(changed: ReadonlySet<Change>): void;
}

/** "worker-1", or its id if it has no name. */
export function threadName(thread: Thread): string {
	return thread.name || (thread.tid ? `thread ${thread.tid}` : `thread ${thread.row + 1}`);
}

function processName(process: Process | undefined): string {
	if (!process) return 'no process';
	const name = process.name || 'process';
	return process.pid ? `${name} (${process.pid})` : name;
}

/** Threads that match a text by name or number, or whose process does. */
export function matchThreads(
	threads: readonly Thread[],
	processes: readonly Process[],
	text: string,
): readonly Thread[] {
	const wanted = text.trim().toLowerCase();
	if (wanted === '') return threads;
	const has = (words: string): boolean => words.toLowerCase().includes(wanted);
	return threads.filter(
		(thread) =>
			has(`${threadName(thread)} ${thread.tid}`) || has(processName(processes[thread.process])),
	);
}

/** The heaviest first within their process; processes in their order. */
function byProcess(threads: readonly Thread[]): ReadonlyMap<number, readonly Thread[]> {
	const groups = new Map<number, Thread[]>();
	for (const thread of [...threads].sort((a, b) => a.process - b.process || b.count - a.count)) {
		const group = groups.get(thread.process);
		if (group) group.push(thread);
		else groups.set(thread.process, [thread]);
	}
	return groups;
}

export function makeThreadFilter(app: PageApp): ThreadFilter {
	const { threads, processes } = app.capture;
	const most = threads.reduce((n, thread) => Math.max(n, thread.count), 1);
	const filter = attributes(make('input'), {
		type: 'search',
		placeholder: 'Filter',
		'aria-label': 'Filter the list of threads',
		'data-first': true,
	});
	const list = make('div', 'threads-list');
	const setHidden = (hidden: Iterable<number>): void =>
		app.set({
			tracks: { ...app.state.tracks, hidden: [...new Set(hidden)].sort((a, b) => a - b) },
		});
	const setShown = (rows: readonly number[], shown: boolean): void => {
		const { hidden } = app.state.tracks;
		setHidden(shown ? hidden.filter((row) => !rows.includes(row)) : [...hidden, ...rows]);
	};
	const showOnly = (rows: readonly number[]): void =>
		setHidden(threads.map((t) => t.row).filter((row) => !rows.includes(row)));

	/** A box to tick, a name, a bar and a count, for one thread or all of a process. */
	const addRow = (
		className: string,
		name: string,
		rows: readonly number[],
		count: number,
	): void => {
		const hidden = new Set(app.state.tracks.hidden);
		const shown = rows.filter((row) => !hidden.has(row)).length;
		const box = attributes(make('input'), { type: 'checkbox' });
		box.checked = shown === rows.length;
		box.indeterminate = shown > 0 && shown < rows.length;
		box.addEventListener('change', () => setShown(rows, box.checked));
		const text = make('span', 'threads-name', name);
		text.title = name;
		const bar = make('span', 'threads-bar');
		bar.style.setProperty('--share', String(Math.min(1, count / most)));
		const label = make(
			'label',
			'',
			box,
			text,
			bar,
			make('span', 'threads-count', formatCount(count)),
		);
		const only = button('threads-only', 'only', `Show only ${name}`, () => showOnly(rows));
		list.append(make('div', `threads-row ${className}`, label, only));
	};
	const fillList = (): void => {
		const at = [...list.querySelectorAll('input, button')].indexOf(document.activeElement ?? list);
		list.replaceChildren();
		const matching = matchThreads(threads, processes, filter.value);
		for (const [process, group] of byProcess(matching.slice(0, MOST_ROWS))) {
			const sum = group.reduce((n, thread) => n + thread.count, 0);
			if (processes.length > 1) {
				const rows = group.map((thread) => thread.row);
				addRow('threads-process', processName(processes[process]), rows, sum);
			}
			for (const thread of group) addRow('', threadName(thread), [thread.row], thread.count);
		}
		const more = matching.length - MOST_ROWS;
		if (more > 0)
			list.append(make('p', 'dim', `and ${formatCount(more)} more: filter to see them`));
		if (matching.length === 0) list.append(make('p', 'dim', 'No thread is called so.'));
		// the list is made anew under the hands of whoever goes through it by keys
		if (at >= 0) list.querySelectorAll<HTMLElement>('input, button')[at]?.focus();
	};
	const matching = (): readonly number[] =>
		matchThreads(threads, processes, filter.value).map((thread) => thread.row);
	const popover = makePopover('', 'Threads that are shown and counted', (panel) => {
		if (!panel.firstChild) {
			const all = button('', 'All', 'Show all that the filter leaves', () =>
				setShown(matching(), true),
			);
			const none = button('', 'None', 'Hide all that the filter leaves', () =>
				setShown(matching(), false),
			);
			panel.classList.add('threads');
			panel.append(make('div', 'threads-head', filter, all, none), list);
		}
		fillList();
	});
	filter.addEventListener('input', fillList);
	return {
		element: popover.button,
		update(changed) {
			if (!changed.has('tracks')) return;
			const shown = threads.length - app.state.tracks.hidden.length;
			const some = shown < threads.length;
			popover.button.textContent = some
				? `${formatCount(shown)} of ${formatNumber(threads.length, 'thread')}`
				: `All ${formatNumber(threads.length, 'thread')}`;
			popover.button.classList.toggle('changed', some);
			if (popover.isOpen()) fillList();
		},
	};
}
