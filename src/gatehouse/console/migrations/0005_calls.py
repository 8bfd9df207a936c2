from typing import Any

from django.db import migrations, models


def unlogged(apps: Any, schema_editor: Any) -> None:
    """Counts need not outlive a crash of the server, and then no call waits for its disk."""
    if schema_editor.connection.vendor == 'postgresql':
        schema_editor.execute('ALTER TABLE console_calls SET UNLOGGED')


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0004_letters'),
    ]

    operations = [
        migrations.CreateModel(
            name='Calls',
            fields=[
                ('key', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('minute', models.BigIntegerField(db_index=True)),
                ('count', models.BigIntegerField()),
            ],
        ),
        migrations.RunPython(unlogged, migrations.RunPython.noop),
    ]
