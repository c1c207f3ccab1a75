"""Who of the lists gets a mailing and why not: rows, numbers, people and answers from one statement. Reads only."""
