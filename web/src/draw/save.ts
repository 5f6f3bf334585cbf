// SPDX-License-Identifier: MIT
/** "Save as": the present view as SVG or PNG, and what is shown as folded text. */
import type { App, View } from '../app/app.js';
import { foldedLines } from './folded.js';
import { canvasToPng, drawSvg } from './png.js';

/** A name for a file: the title of the capture and the view, without what file systems refuse. */
export function fileName(app: App, extension: string): string {
	const title = app.capture.title
		.replace(/^.*[/\\]/, '')
		.replace(/\.fgc$/, '')
		.replace(/[^\p{L}\p{N}._-]+/gu, '-')
		.replace(/^[-.]+|[-.]+$/g, '')
		.slice(0, 80);
	return `${title || 'capture'}-${app.state.view}.${extension}`;
}

/** False if the view has no picture. */
export function saveSvg(app: App, view: View): boolean {
	const svg = view.svg?.();
	if (!svg) return false;
	app.save(fileName(app, 'svg'), 'image/svg+xml', svg);
	return true;
}

/** A canvas, or the picture of a view, at the density of the screen and at least twofold. */
export async function savePng(app: App, from: HTMLCanvasElement | View): Promise<boolean> {
	let canvas: HTMLCanvasElement | null = null;
	if (from instanceof HTMLCanvasElement) canvas = from;
	else {
		const svg = from.svg?.();
		if (svg) canvas = await drawSvg(svg, Math.max(2, devicePixelRatio || 1));
	}
	if (!canvas) return false;
	try {
		app.save(fileName(app, 'png'), 'image/png', await canvasToPng(canvas));
		return true;
	} catch (e) {
		app.say(e instanceof Error ? e.message : String(e));
		return false;
	}
}

/** What is shown, with all transforms, as folded text. */
export function saveFolded(app: App): void {
	const lines = foldedLines(app.shown());
	app.save(fileName(app, 'folded'), 'text/plain', new Blob(lines, { type: 'text/plain' }));
}
