/** Values that options of several programs take: read, and refused with what is allowed. */
package org.vhostuserrng.cli.options;
