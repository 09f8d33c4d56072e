import { Option, type Command as Parser, type OptionValues } from '@commander-js/extra-typings';
import { composeFlags } from '../model/compose.ts';
import { collect } from './command.ts';

/** Adds the options that say what is asked of a compose. */
export function requestOptions<Args extends unknown[], Options extends OptionValues>(
  parser: Parser<Args, Options>,
) {
  return parser
    .option('--arch <arch>', 'more than once for several; the default of the service otherwise', collect)
    .addOption(
      new Option('--flag <flag>', 'more than once for several')
        .choices(Object.keys(composeFlags))
        .argParser(collect),
    )
    .option('--sigkey <key>', 'in order of preference; "none" allows unsigned packages', collect)
    .option('--build <nvr>', 'extra build, more than once', collect)
    .option('--lookaside <repository>', 'repository whose packages are not composed again', collect)
    .option('--seconds-to-live <n>', 'how long it lives once it has ended')
    .option('--label <label>', 'RC-1.0 and the like')
    .option('--compose-type <type>', 'test, nightly, production, …')
    .option('--series <series>', 'the line of composes that it continues')
    .option(
      '--body <json>',
      'the request as POST takes it, instead of TYPE and SOURCE; @FILE reads it from there',
    );
}
