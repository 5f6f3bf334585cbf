// SPDX-License-Identifier: MIT
/** Switches: which samples, in what unit, how finely. */
import type { Change } from '../app/app.js';
import type { PageApp } from '../app/page_app.js';
import type { State } from '../app/state.js';
import { attributes, make, rove } from './dom.js';

type Option<T extends string> = readonly [value: T, label: string, title: string];

export const MODES: readonly Option<State['mode']>[] = [
	['wall', 'Wall', 'All samples: time as a clock on the wall has it'],
	['cpu', 'CPU', 'Only where a thread ran, or was ready to run'],
	['gil', 'GIL', 'Only where a thread held the GIL'],
	['idle', 'Idle', 'Only where a thread waited'],
];

export const UNITS: readonly Option<State['unit']>[] = [
	['time', 'time', 'Samples times the period of the clock'],
	['samples', 'samples', 'How often it was seen'],
	['percent', 'percent', 'Of all that is shown'],
];

export const LEVELS: readonly Option<State['granularity']>[] = [
	['lines', 'lines', 'Each line of a function by itself'],
	['functions', 'functions', 'Functions'],
	['files', 'files', 'All functions of a file together'],
	['modules', 'modules', 'All files of a module together'],
];

export interface Choice {
	readonly element: HTMLElement;
	update(changed: ReadonlySet<Change>): void;
}

type Chosen = 'mode' | 'unit' | 'granularity';

/** Buttons side by side of which one is chosen; arrows go between them. */
export function makeSwitch<K extends Chosen>(
	app: PageApp,
	key: K,
	label: string,
	options: readonly Option<State[K] & string>[],
): Choice {
	const element = attributes(make('div', 'switch'), { role: 'radiogroup', 'aria-label': label });
	const buttons = options.map(([value, text, title]) => {
		const one = attributes(make('button', '', text), { type: 'button', role: 'radio', title });
		one.addEventListener('click', () => app.set({ [key]: value } as Partial<State>));
		return one;
	});
	element.append(...buttons);
	element.addEventListener('keydown', (event) => {
		if (!rove(event, buttons)) return;
		event.stopPropagation();
		buttons.find((one) => one === document.activeElement)?.click();
	});
	return {
		element,
		update(changed) {
			if (!changed.has(key)) return;
			buttons.forEach((one, i) => {
				const chosen = options[i]?.[0] === app.state[key];
				attributes(one, { 'aria-checked': String(chosen), tabindex: chosen ? 0 : -1 });
			});
		},
	};
}

/** A list to choose from, with its name before it. */
export function makeSelect<K extends Chosen>(
	app: PageApp,
	key: K,
	label: string,
	options: readonly Option<State[K] & string>[],
): Choice {
	const select = make('select');
	for (const [value, text, title] of options) {
		select.append(attributes(make('option', '', text), { value, title }));
	}
	select.addEventListener('change', () => app.set({ [key]: select.value } as Partial<State>));
	return {
		element: make('label', 'choice', make('span', '', label), select),
		update(changed) {
			if (!changed.has(key)) return;
			// without times, time is samples
			const missing = !options.some(([value]) => value === app.state[key]);
			select.value = missing ? (options[0]?.[0] ?? '') : app.state[key];
		},
	};
}

/** The next of the options of a switch, in a ring: what its key does. */
export function nextOf<T extends string>(options: readonly Option<T>[], value: T): T {
	const at = options.findIndex(([one]) => one === value);
	return options[(at + 1) % options.length]?.[0] ?? value;
}
