void Run(void)
{
    char *Text = "constant";

    *Text = 'C';
}
