/** Tests that execute the recipes of the documents: their commands, units and XML are read from the Markdown files. */
package org.vhostuserrng.it.recipe;
