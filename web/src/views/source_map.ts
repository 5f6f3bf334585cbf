// SPDX-License-Identifier: MIT
/** The heat of a whole file at its right edge, small; a press goes there. */
import { currentTheme } from '../ui/colours.js';
import { make } from '../ui/dom.js';
import type { SourceFile } from './source_model.js';
import { heatOfLine, rowOfLine } from './source_model.js';

export interface SourceMap {
	readonly element: HTMLCanvasElement;
	/** `seen`: rows in view, first and end. */
	draw(source: SourceFile | null, seen: readonly [number, number]): void;
}

/** `go`: to the row that was pressed. */
export function makeSourceMap(go: (row: number) => void): SourceMap {
	const element = make('canvas', 'source-map');
	element.setAttribute('aria-hidden', 'true');
	let rows = 0;
	const press = (event: PointerEvent): void => {
		const box = element.getBoundingClientRect();
		if (event.buttons & 1 && box.height > 0) {
			go(Math.floor(((event.clientY - box.top) / heightOf(box.height, rows)) * rows));
		}
	};
	element.addEventListener('pointerdown', (event) => {
		element.setPointerCapture(event.pointerId);
		press(event);
	});
	element.addEventListener('pointermove', press);
	return {
		element,
		draw(source, seen) {
			rows = source?.rowCount ?? 0;
			const { clientWidth: width, clientHeight: height } = element;
			const ratio = window.devicePixelRatio || 1;
			const context = element.getContext('2d');
			element.width = Math.round(width * ratio);
			element.height = Math.round(height * ratio);
			if (!context || !source || rows === 0) return;
			context.scale(ratio, ratio);
			const px = heightOf(height, rows) / rows;
			const theme = currentTheme();
			context.fillStyle = theme.faint;
			context.fillRect(0, seen[0] * px, width, Math.max(3, (seen[1] - seen[0]) * px));
			context.fillStyle = theme.accent;
			for (const line of source.heat.total.keys()) {
				const heat = heatOfLine(source, line);
				if (heat <= 0 || line <= 0) continue;
				context.globalAlpha = 0.25 + 0.75 * heat;
				const long = Math.max(3, width * Math.sqrt(heat));
				context.fillRect(width - long, rowOfLine(source, line) * px, long, Math.max(2, px));
			}
			context.globalAlpha = 1;
		},
	};
}

/** Short files do not take all of the height. */
const heightOf = (height: number, rows: number): number => Math.min(height, rows * 6);
