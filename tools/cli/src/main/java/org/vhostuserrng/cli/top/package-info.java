/** {@code top}: shows what each guest of a daemon receives, from its counters file. */
package org.vhostuserrng.cli.top;
