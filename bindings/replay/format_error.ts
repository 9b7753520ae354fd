import { GicError } from '../errors.ts';

const EXCERPT = 120;

/** A line of a recording is not what its format says. Names the file and the line and shows how the line begins. */
export function malformedLine(file: string, line: number, text: string, expected: string): GicError {
  const excerpt = text.length > EXCERPT ? `${text.slice(0, EXCERPT)}...` : text;
  return new GicError('INVALID_INPUT', `${file}:${line}`, excerpt, expected);
}
